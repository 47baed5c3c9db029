// The table of invalid files, variables and flags, each with the parts of the one error line that it must cause.
// Errors of YAML as such are in tests/config/yaml/yaml_node_test.cc.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/schema/environment.h"

namespace procevent {

using Variables = std::vector<EnvironmentVariable>;
using Arguments = std::vector<std::string>;
using Words = std::vector<std::string>;

// One invalid input. The line begins with `place` and a colon. After it come, in this order, `problem`, each of the
// words of `expected`, and `hint`. A line that suggests a word has the suggestion in `hint`.
struct ErrorRow {
  std::string name;
  std::variant<std::string, Variables, Arguments> given;  // the text of the file f.yml, or variables, or arguments
  std::string place;                                      // file, line and column, and the key
  std::string problem;                                    // the offending value, or what is wrong with it
  Words expected = {};
  std::string hint = {};
};

// Invalid files.
std::vector<ErrorRow> QuantityRows();
std::vector<ErrorRow> WebRows();
std::vector<ErrorRow> WordRows();
std::vector<ErrorRow> KeyRows();
std::vector<ErrorRow> CountingRows();
// Invalid variables and arguments. TLS settings are in files, too.
std::vector<ErrorRow> TlsSettingRows();
std::vector<ErrorRow> VariableRows();
std::vector<ErrorRow> FlagRows();

// Expected words and hints that files, variables and flags share.
inline const Words kMaxRequests{"number", "from 1 to 64"};
inline const Words kLevels{"debug, info, warning or error"};
inline const Words kAddress{"address", "0.0.0.0:13675"};
inline const Words kNetwork{"address or a network", "10.0.0.0/8"};
inline const Words kAllOrNetwork{"all", "address or a network", "10.0.0.0/8"};
inline const Words kEvent{"one of", "fork, exec, exit, uid, gid, sid, ptrace, comm, coredump"};
inline const Words kAllOrEvent{"all", "one of", "fork, exec, exit, uid, gid, sid, ptrace, comm, coredump"};
inline const Words kRules{"list", "at most 100 rules", "match", "name"};
inline const std::string kCovered = "covers";
inline const std::string kAllIsNoItem = "(all ";
inline const std::string kSeveral = "[a, b]";
inline const std::string kNotFourNumbers = "10.1.2.3";

}  // namespace procevent

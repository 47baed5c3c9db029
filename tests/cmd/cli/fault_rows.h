// What a user is told about each thing that is wrong with a file, a variable or a flag: the whole line, byte by byte.
// What else may be wrong with YAML as such is in tests/config/yaml/yaml_node_test.cc.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/schema/environment.h"

namespace procevent {

using Variables = std::vector<EnvironmentVariable>;
using Arguments = std::vector<std::string>;

struct FaultRow {
  std::string name;
  std::variant<std::string, Variables, Arguments> given;  // a file that is called f.yml, or what stands in its place
  std::string line;
};

// Of files.
std::vector<FaultRow> QuantityRows();
std::vector<FaultRow> WebRows();
std::vector<FaultRow> WordRows();
std::vector<FaultRow> KeyRows();
std::vector<FaultRow> LedgerRows();
// Of the environment, and of the command line.
std::vector<FaultRow> ReverseProxyRows();
std::vector<FaultRow> VariableRows();
std::vector<FaultRow> FlagRows();

// What is allowed, where rows of more than one kind say it.
inline const std::string kUnknown = "found an unknown key, allowed is one of ";
inline const std::string kRequests = ", allowed is a number from 1 to 64 in digits alone, like 40";
inline const std::string kLevels = ", allowed is debug, info, warning or error";
inline const std::string kAddress = ", allowed is an address like 0.0.0.0:13675";
inline const std::string kCovered = " (another of the list covers this one already)";
inline const std::string kNetwork = ", allowed is an address or a network like 10.0.0.0/8";
inline const std::string kAllOrNetwork = ", allowed is all, or an address or a network like 10.0.0.0/8";
inline const std::string kAllOrEvent =
    ", allowed is all, or one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump";
inline const std::string kAllAlone = " (all stands alone)";
inline const std::string kSeveral = " (several are a list, as in [a, b]; a flag is given several times)";
inline const std::string kNotFourNumbers =
    " (it is not an IPv4 address; use four numbers from 0 to 255, such as 10.1.2.3; host names are not supported)";
inline const std::string kEvent = ", allowed is one of fork, exec, exit, uid, gid, sid, ptrace, comm, coredump";
inline const std::string kRules = ", allowed is a list of at most 100 rules, like [{match: kworker/.*, name: kworker}]";

}  // namespace procevent

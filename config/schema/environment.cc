#include "config/schema/environment.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"
#include "config/yaml/yaml_node.h"
#include "core/base/input_error.h"
#include "core/base/text.h"

namespace procevent {
namespace {

// "LOG_LEVEL" for "log.level" and for "log-level".
std::string ToVariableCase(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](char c) { return c == '.' || c == '-' ? '_' : ToUpperAscii(c); });
  return name;
}

InputErrors SetOption(const Option& option, const std::string& variable, std::string_view value,
                      EffectiveConfig& effective) {
  YamlDocument document = ParseValue(variable, value);
  InputErrors errors = std::move(document.errors);
  if (document.complete) {
    std::ranges::move(CheckValue(option, variable, document.root, effective), std::back_inserter(errors));
  }
  for (InputError& error : errors) {
    error.position = {};
  }
  return errors;
}

// The name of every variable without kVariablePrefix.
std::vector<std::string> KnownSuffixes() {
  std::vector<std::string> suffixes{std::string(kConfigFileVariable.substr(kVariablePrefix.size()))};
  for (const Option& option : Schema()) {
    suffixes.push_back(ToVariableCase(option.key));
  }
  return suffixes;
}

// Only the letters, in capitals, and the digits: ignores where underscores are.
std::string WithoutUnderscores(std::string_view name) {
  std::string letters = ToVariableCase(name);
  std::erase(letters, '_');
  return letters;
}

// The suffix of the variable that differs from `name` in at most one letter, prefix included, and in underscores.
std::string_view FindByFullName(std::string_view name, std::span<const std::string_view> suffixes) {
  const std::string letters = WithoutUnderscores(name);
  const auto similar = std::ranges::find_if(suffixes, [&](std::string_view suffix) {
    return EditDistance(letters, WithoutUnderscores(std::string(kVariablePrefix) + std::string(suffix))) <= 1;
  });
  return similar == suffixes.end() ? std::string_view{} : *similar;
}

// The keys whose paths end with `suffix`: "limit" has two.
std::vector<std::string_view> FindPathsEndingWith(std::string_view suffix) {
  std::vector<std::string_view> paths;
  for (const Option& option : Schema()) {
    for (std::size_t dot = option.key.find('.'); dot != std::string_view::npos; dot = option.key.find('.', dot + 1)) {
      if (WithoutUnderscores(option.key.substr(dot + 1)) == WithoutUnderscores(suffix)) {
        paths.push_back(option.key);
      }
    }
  }
  return paths;
}

// The suffix that `suffix` resembles if its section is left out. Only for names of two or more words: a single word
// could belong to another program.
std::string_view FindWithoutSection(std::string_view suffix, std::span<const std::string_view> suffixes) {
  if (suffix.find('_') == std::string_view::npos) {
    return {};
  }
  std::vector<std::string_view> tails(suffixes.size());
  std::ranges::transform(suffixes, tails.begin(),
                         [](std::string_view name) { return name.substr(name.find('_') + 1); });
  const auto tail = std::ranges::find(tails, FindClosestWord(suffix, tails));
  return tail == tails.end() ? std::string_view{} : suffixes[static_cast<std::size_t>(tail - tails.begin())];
}

// The suffix that an unknown one resembles. Empty if it resembles none, or two keys.
std::string SuggestSuffix(std::string_view suffix, std::span<const std::string_view> suffixes) {
  if (suffix == "CONFIG") {
    return std::string(kConfigFileVariable.substr(kVariablePrefix.size()));
  }
  if (const std::string_view closest = FindClosestWord(suffix, suffixes); !closest.empty()) {
    return std::string(closest);
  }
  if (const auto paths = FindPathsEndingWith(suffix); !paths.empty()) {
    return paths.size() == 1 ? ToVariableCase(paths.front()) : "";
  }
  return std::string(FindWithoutSection(suffix, suffixes));
}

// A variable that names a section of the schema is meant for the exporter.
bool BeginsWithSection(std::string_view suffix) {
  return std::ranges::any_of(NamesUnder(""), [suffix](std::string_view section) {
    return (std::string(suffix) + '_').starts_with(ToVariableCase(section) + '_');
  });
}

// The rest of a name after PROCEVENT_ or PROCEVENT_EXPORTER_. Empty if it begins with neither.
std::string_view SuffixOf(std::string_view name) {
  if (!name.starts_with(kVariablePrefix)) {
    return {};
  }
  constexpr std::string_view kBinary = "EXPORTER_";
  const std::string_view suffix = name.substr(kVariablePrefix.size());
  return suffix.starts_with(kBinary) ? suffix.substr(kBinary.size()) : suffix;
}

// Adds an error if the name is not the variable of a key, but is probably meant to be one.
void CheckName(const std::string& name, std::span<const std::string_view> suffixes, InputErrors& errors) {
  const std::string capitals = ToVariableCase(name);
  const bool is_known = name.starts_with(kVariablePrefix) &&
                        std::ranges::find(suffixes, name.substr(kVariablePrefix.size())) != suffixes.end();
  if (is_known || IsInjected(capitals)) {
    return;
  }
  const std::string_view suffix = SuffixOf(capitals);
  if (IsTlsSetting(suffix)) {
    errors.push_back(TlsSettingError({}, {}, EscapeUnprintable(name)));
    return;
  }
  const auto renamed = std::ranges::find_if(Schema(), [suffix](const Option& option) {
    return !option.former_key.empty() && suffix == ToVariableCase(option.former_key);
  });
  if (renamed != Schema().end()) {
    errors.push_back({{},
                      {},
                      {},
                      "unknown variable " + QuotePrintable(name),
                      DescribeNewName(EnvironmentVariableName(renamed->key))});
    return;
  }
  std::string similar = SuggestSuffix(suffix, suffixes);
  if (similar.empty()) {
    similar = FindByFullName(name, suffixes);
  }
  if (!similar.empty() || BeginsWithSection(suffix) || !FindPathsEndingWith(suffix).empty()) {
    const std::string variable = similar.empty() ? "" : std::string(kVariablePrefix) + similar;
    errors.push_back(
        {{},
         {},
         {},
         "unknown variable " + QuotePrintable(name),
         std::string(kVariablePrefix) + " and the path of a key, such as PROCEVENT_LOG_LEVEL" + DidYouMean(variable)});
  }
}

// True for the text after "_PORT_" in an injected name: "13675_TCP", "13675_TCP_ADDR".
bool IsPortAndProtocol(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  constexpr std::array<std::string_view, 3> kProtocols{"_TCP", "_UDP", "_SCTP"};
  return digits > 0 && std::ranges::any_of(kProtocols, [&](std::string_view protocol) {
           return text.substr(digits).starts_with(protocol);
         });
}

}  // namespace

std::string EnvironmentVariableName(std::string_view path) {
  return std::string(kVariablePrefix) + ToVariableCase(path);
}

bool HasSimilarPrefix(std::string_view name) {
  constexpr std::string_view kPrefix = kVariablePrefix.substr(0, kVariablePrefix.size() - 1);
  constexpr std::size_t kMaxDistance = 2;  // a missing letter counts twice: the next letter of the name is in its place
  const std::string letters = WithoutUnderscores(name.substr(0, 2 * kVariablePrefix.size()));
  return EditDistance(letters.substr(0, kPrefix.size()), kPrefix) <= kMaxDistance;
}

std::string_view FindVariableValue(std::string_view name, std::span<const EnvironmentVariable> environment) {
  const auto variable = std::ranges::find(environment, name, &EnvironmentVariable::name);
  return variable == environment.end() ? std::string_view{} : std::string_view(variable->value);
}

bool IsInjected(std::string_view name) {
  if (name.ends_with("_PORT") || name.ends_with("_SERVICE_HOST") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos) {
    return true;
  }
  constexpr std::string_view kPort = "_PORT_";
  for (std::size_t at = name.find(kPort); at != std::string_view::npos; at = name.find(kPort, at + 1)) {
    if (IsPortAndProtocol(name.substr(at + kPort.size()))) {
      return true;
    }
  }
  return false;
}

InputErrors SetFromEnvironment(std::span<const EnvironmentVariable> environment, EffectiveConfig& effective) {
  InputErrors errors;
  for (const Option& option : Schema()) {
    const std::string variable = EnvironmentVariableName(option.key);
    const std::string_view value = FindVariableValue(variable, environment);
    if (value.empty()) {
      const bool is_set = std::ranges::find(environment, variable, &EnvironmentVariable::name) != environment.end();
      if (option.restricts_access && is_set) {
        errors.push_back({{}, {}, variable, InvalidValue(""), DescribeExpected(option)});
      }
      continue;
    }
    std::ranges::move(SetOption(option, variable, value, effective), std::back_inserter(errors));
    effective.origins[option.key] = {Origin::Kind::kEnvironment, variable, 0};
  }
  const std::vector<std::string> names = KnownSuffixes();
  const std::vector<std::string_view> suffixes(names.begin(), names.end());
  for (const EnvironmentVariable& variable : environment) {
    if (!variable.value.empty()) {
      CheckName(variable.name, suffixes, errors);
    }
  }
  return errors;
}

}  // namespace procevent

#include "config/schema/environment.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include "config/schema/keys.h"
#include "config/schema/schema.h"
#include "config/schema/validator.h"
#include "config/yaml/config_error.h"
#include "config/yaml/yaml_node.h"
#include "core/base/text.h"

namespace procevent {
namespace {

std::string Capitals(std::string_view text) {
  std::string capitals(text);
  std::ranges::transform(capitals, capitals.begin(),
                         [](char c) { return c == '.' || c == '-' ? '_' : ToUpperAscii(c); });
  return capitals;
}

// "[1]" -> "PROCEVENT_WEB_ALLOW[1]".
std::string NameOf(const std::string& variable, std::string_view path_within) {
  const bool needs_dot = !path_within.empty() && path_within.front() != '[' && path_within.front() != '.';
  return variable + (needs_dot ? "." : "") + std::string(path_within);
}

std::vector<ConfigError> Set(const ConfigKey& key, const std::string& variable, std::string_view value,
                             EffectiveConfig& effective) {
  YamlDocument document = ParseYaml(value, {});
  std::vector<ConfigError> faults = std::move(document.faults);
  if (document.whole) {
    for (ConfigError& fault : CheckValue(key, document.root, effective)) {
      fault.key.erase(0, key.path.size());
      faults.push_back(std::move(fault));
    }
  }
  for (ConfigError& fault : faults) {
    fault.key = NameOf(variable, fault.key);
    fault.place = {};
  }
  return faults;
}

// Every name there is, without what all begin with.
std::vector<std::string> KnownRests() {
  std::vector<std::string> rests{std::string(kConfigFileVariable.substr(kVariablePrefix.size()))};
  for (const ConfigKey& key : Schema()) {
    rests.push_back(Capitals(key.path));
  }
  return rests;
}

// Capitals and digits alone.
std::string Bare(std::string_view name) {
  std::string bare = Capitals(name);
  std::erase(bare, '_');
  return bare;
}

// The one that differs in nothing but where underscores stand, or in one letter of the prefix, too.
std::string_view WithItsPrefix(std::string_view name, std::span<const std::string_view> known) {
  const std::string bare = Bare(name);
  const auto near = std::ranges::find_if(known, [&](std::string_view rest) {
    return EditDistance(bare, Bare(std::string(kVariablePrefix) + std::string(rest))) <= 1;
  });
  return near == known.end() ? std::string_view{} : *near;
}

// The keys whose paths end in it: both of "limit".
std::vector<std::string_view> PathsThatEndIn(std::string_view rest) {
  std::vector<std::string_view> paths;
  for (const ConfigKey& key : Schema()) {
    for (std::size_t dot = key.path.find('.'); dot != std::string_view::npos; dot = key.path.find('.', dot + 1)) {
      if (Bare(key.path.substr(dot + 1)) == Bare(rest)) {
        paths.push_back(key.path);
      }
    }
  }
  return paths;
}

// The only one that it nearly is without its section, if it has two parts: one could be anybody's.
std::string_view WithoutSection(std::string_view rest, std::span<const std::string_view> known) {
  if (rest.find('_') == std::string_view::npos) {
    return {};
  }
  std::vector<std::string_view> tails(known.size());
  std::ranges::transform(known, tails.begin(), [](std::string_view name) { return name.substr(name.find('_') + 1); });
  const auto tail = std::ranges::find(tails, FindClosestWord(rest, tails));
  return tail == tails.end() ? std::string_view{} : known[static_cast<std::size_t>(tail - tails.begin())];
}

// For what stands behind our prefix and is none of ours; empty: it is nobody's near miss, or that of two.
std::string SuggestRest(std::string_view rest, std::span<const std::string_view> known) {
  if (rest == "CONFIG") {
    return std::string(kConfigFileVariable.substr(kVariablePrefix.size()));
  }
  if (const std::string_view near = FindClosestWord(rest, known); !near.empty()) {
    return std::string(near);
  }
  if (const auto paths = PathsThatEndIn(rest); !paths.empty()) {
    return paths.size() == 1 ? Capitals(paths.front()) : "";
  }
  return std::string(WithoutSection(rest, known));
}

// Whoever names a section of ours means us.
bool NamesASection(std::string_view rest) {
  return std::ranges::any_of(NamesUnder(""), [rest](std::string_view section) {
    return (std::string(rest) + '_').starts_with(Capitals(section) + '_');
  });
}

// What stands behind our prefix, or behind the binary's whole name; empty: it begins otherwise.
std::string_view RestOf(std::string_view capitals) {
  if (!capitals.starts_with(kVariablePrefix)) {
    return {};
  }
  constexpr std::string_view kBinary = "EXPORTER_";
  const std::string_view rest = capitals.substr(kVariablePrefix.size());
  return rest.starts_with(kBinary) ? rest.substr(kBinary.size()) : rest;
}

void CheckName(const std::string& name, std::span<const std::string_view> known, std::vector<ConfigError>& faults) {
  const std::string capitals = Capitals(name);
  const bool is_ours =
      name.starts_with(kVariablePrefix) && std::ranges::find(known, name.substr(kVariablePrefix.size())) != known.end();
  if (is_ours || IsInjected(capitals)) {
    return;
  }
  const std::string_view rest = RestOf(capitals);
  if (IsTlsSetting(rest)) {
    faults.push_back(TlsSettingError({}, {}, EscapeUnprintable(name)));
    return;
  }
  std::string near = SuggestRest(rest, known);
  if (near.empty()) {
    near = WithItsPrefix(name, known);
  }
  if (!near.empty() || NamesASection(rest) || !PathsThatEndIn(rest).empty()) {
    const std::string variable = near.empty() ? "" : std::string(kVariablePrefix) + near;
    faults.push_back({{}, {}, EscapeUnprintable(name), "an unknown variable", "that of a key" + DidYouMean(variable)});
  }
}

// What is behind "_PORT_": "13675_TCP" and what Kubernetes and Docker add to it.
bool IsPortAndProtocol(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  constexpr std::array<std::string_view, 3> kProtocols{"_TCP", "_UDP", "_SCTP"};
  return digits > 0 && std::ranges::any_of(kProtocols, [&](std::string_view protocol) {
           return text.substr(digits).starts_with(protocol);
         });
}

}  // namespace

std::string EnvironmentVariableName(std::string_view path) { return std::string(kVariablePrefix) + Capitals(path); }

bool HasSimilarPrefix(std::string_view name) {
  constexpr std::string_view kBarePrefix = kVariablePrefix.substr(0, kVariablePrefix.size() - 1);
  constexpr std::size_t kMostAway = 2;  // with a letter left out, one of the rest is in its place
  const std::string bare = Bare(name.substr(0, 2 * kVariablePrefix.size()));
  return EditDistance(bare.substr(0, kBarePrefix.size()), kBarePrefix) <= kMostAway;
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

std::vector<ConfigError> SetFromEnvironment(std::span<const EnvironmentVariable> environment,
                                            EffectiveConfig& effective) {
  std::vector<ConfigError> faults;
  for (const ConfigKey& key : Schema()) {
    const std::string variable = EnvironmentVariableName(key.path);
    const std::string_view value = FindVariableValue(variable, environment);
    if (value.empty()) {
      if (key.guards && std::ranges::find(environment, variable, &EnvironmentVariable::name) != environment.end()) {
        faults.push_back({{}, {}, variable, R"("")", std::string(key.allowed)});
      }
      continue;
    }
    std::ranges::move(Set(key, variable, value, effective), std::back_inserter(faults));
    effective.origins[key.path] = {Origin::Kind::kEnvironment, variable, 0};
  }
  const std::vector<std::string> rests = KnownRests();
  const std::vector<std::string_view> known(rests.begin(), rests.end());
  for (const EnvironmentVariable& variable : environment) {
    if (!variable.value.empty()) {
      CheckName(variable.name, known, faults);
    }
  }
  return faults;
}

}  // namespace procevent

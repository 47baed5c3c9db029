#include "config/environment.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include "config/check.h"
#include "config/keys.h"
#include "config/near_miss.h"
#include "config/reverse_proxy.h"
#include "config/schema.h"
#include "config/text.h"
#include "config/yaml_node.h"
#include "core/base/ascii.h"

namespace procevent {
namespace {

std::string Capitals(std::string_view text) {
  std::string capitals(text);
  std::ranges::transform(capitals, capitals.begin(), [](char c) { return c == '.' || c == '-' ? '_' : Capital(c); });
  return capitals;
}

// "[1]" -> "PROCEVENT_WEB_ALLOW[1]".
std::string NameOf(const std::string& variable, std::string_view path_within) {
  const bool needs_dot = !path_within.empty() && path_within.front() != '[' && path_within.front() != '.';
  return variable + (needs_dot ? "." : "") + std::string(path_within);
}

std::vector<Fault> Set(const ConfigKey& key, const std::string& variable, std::string_view value,
                       EffectiveConfig& effective) {
  YamlDocument document = ParseYaml(value, {});
  std::vector<Fault> faults = std::move(document.faults);
  if (document.whole) {
    for (Fault& fault : CheckValue(key, document.root, effective)) {
      fault.key.erase(0, key.path.size());
      faults.push_back(std::move(fault));
    }
  }
  for (Fault& fault : faults) {
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

// The only one that it nearly is without its section, if it has two parts: one could be anybody's.
std::string_view WithoutSection(std::string_view rest, std::span<const std::string_view> known) {
  if (rest.find('_') == std::string_view::npos) {
    return {};
  }
  std::vector<std::string_view> tails(known.size());
  std::ranges::transform(known, tails.begin(), [](std::string_view name) { return name.substr(name.find('_') + 1); });
  const auto tail = std::ranges::find(tails, NearMiss(rest, tails));
  return tail == tails.end() ? std::string_view{} : known[static_cast<std::size_t>(tail - tails.begin())];
}

// For a name in capitals that is none of ours; empty: it is nobody's near miss.
std::string_view SuggestRest(std::string_view rest, std::span<const std::string_view> known) {
  constexpr std::string_view kFile = kConfigFileVariable.substr(kVariablePrefix.size());
  const std::string_view near = rest == "CONFIG" ? kFile : NearMiss(rest, known);
  return near.empty() ? WithoutSection(rest, known) : near;
}

// Whoever names a section of ours means us.
bool NamesASection(std::string_view rest) {
  return std::ranges::any_of(NamesUnder(""), [rest](std::string_view section) {
    return (std::string(rest) + '_').starts_with(Capitals(section) + '_');
  });
}

void CheckName(const std::string& name, std::span<const std::string_view> known, std::vector<Fault>& faults) {
  const std::string capitals = Capitals(name);
  if (!MayBeOurs(name) || IsInjected(capitals)) {
    return;
  }
  const std::string_view rest = std::string_view(capitals).substr(kVariablePrefix.size());
  if (name == capitals && std::ranges::find(known, rest) != known.end()) {
    return;
  }
  constexpr std::string_view kBinary = "EXPORTER_";  // as if the prefix were the binary's whole name
  const std::string_view meant = rest.starts_with(kBinary) ? rest.substr(kBinary.size()) : rest;
  if (IsReverseProxys(meant)) {
    faults.push_back(ReverseProxyFault({}, {}, Printable(name)));
    return;
  }
  const std::string_view near = SuggestRest(meant, known);
  if (!near.empty() || NamesASection(meant)) {
    const std::string variable = near.empty() ? "" : std::string(kVariablePrefix) + std::string(near);
    faults.push_back({{}, {}, Printable(name), "an unknown variable", "that of a key" + DidYouMean(variable)});
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

std::string VariableOf(std::string_view path) { return std::string(kVariablePrefix) + Capitals(path); }

bool MayBeOurs(std::string_view name) { return Capitals(name.substr(0, kVariablePrefix.size())) == kVariablePrefix; }

std::string_view ValueOf(std::string_view name, std::span<const Variable> environment) {
  const auto variable = std::ranges::find(environment, name, &Variable::name);
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

std::vector<Fault> SetFromEnvironment(std::span<const Variable> environment, EffectiveConfig& effective) {
  std::vector<Fault> faults;
  for (const ConfigKey& key : Schema()) {
    const std::string variable = VariableOf(key.path);
    const std::string_view value = ValueOf(variable, environment);
    if (value.empty()) {
      if (key.guards && std::ranges::find(environment, variable, &Variable::name) != environment.end()) {
        faults.push_back({{}, {}, variable, R"("")", std::string(key.allowed)});
      }
      continue;
    }
    std::ranges::move(Set(key, variable, value, effective), std::back_inserter(faults));
    effective.origins[key.path] = {Origin::Kind::kEnvironment, variable, 0};
  }
  const std::vector<std::string> rests = KnownRests();
  const std::vector<std::string_view> known(rests.begin(), rests.end());
  for (const Variable& variable : environment) {
    if (!variable.value.empty()) {
      CheckName(variable.name, known, faults);
    }
  }
  return faults;
}

}  // namespace procevent

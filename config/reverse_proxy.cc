#include "config/reverse_proxy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace procevent {
namespace {

constexpr std::array<std::string_view, 16> kBeginnings{
    "tls",        "mtls",      "ssl",  "https",  "cert",     "key_file",  "keyfile",     "private_key",
    "basic_auth", "basicauth", "auth", "bearer", "password", "client_ca", "client_cert", "client_auth"};

}  // namespace

bool IsReverseProxys(std::string_view name) {
  std::string plain;
  for (const char c : name.substr(std::min(name.find_first_not_of('-'), name.size()))) {
    const bool mark = c == '-' || c == '.';
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    plain += mark ? '_' : small;
  }
  std::string_view rest = plain;
  constexpr std::string_view kSection = "web_";
  if (rest.starts_with(kSection)) {
    rest.remove_prefix(kSection.size());
    if (rest == "config" || rest == "config_file") {
      return true;  // the name that other exporters have for it
    }
  }
  return std::ranges::any_of(kBeginnings, [rest](std::string_view beginning) { return rest.starts_with(beginning); });
}

Fault ReverseProxyFault(std::string file, Place place, std::string name) {
  return {std::move(file), place, std::move(name), "a setting for TLS or authentication",
          R"(none: both are a reverse proxy's, see "TLS and authentication" in the README)"};
}

}  // namespace procevent

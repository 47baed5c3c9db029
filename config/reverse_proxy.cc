#include "config/reverse_proxy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/ascii.h"

namespace procevent {
namespace {

// Whole words that a name begins with, by themselves or behind "web".
constexpr std::array<std::string_view, 14> kOurs{"tls",      "mtls",      "ssl",         "https",      "cert",
                                                 "key_file", "keyfile",   "private_key", "basic_auth", "basicauth",
                                                 "auth",     "client_ca", "client_cert", "http_server"};
// Behind "web" only: elsewhere they could be anybody's.
constexpr std::array<std::string_view, 11> kUnderWeb{"config", "config_file", "user",  "users",  "username", "password",
                                                     "passwd", "htpasswd",    "token", "bearer", "secret"};

template <std::size_t kSize>
bool BeginsWithOne(std::string_view name, const std::array<std::string_view, kSize>& words) {
  return std::ranges::any_of(words, [name](std::string_view word) {
    return name.starts_with(word) && (name.size() == word.size() || name[word.size()] == '_');
  });
}

}  // namespace

bool IsReverseProxys(std::string_view name) {
  std::string plain(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  std::ranges::transform(plain, plain.begin(), [](char c) { return c == '-' || c == '.' ? '_' : Small(c); });
  std::string_view rest = plain;
  constexpr std::string_view kSection = "web_";
  if (rest.starts_with(kSection)) {
    rest.remove_prefix(kSection.size());
    return BeginsWithOne(rest, kOurs) || BeginsWithOne(rest, kUnderWeb);
  }
  return BeginsWithOne(rest, kOurs);
}

Fault ReverseProxyFault(std::string file, Place place, std::string name) {
  return {std::move(file), place, std::move(name), "a setting for TLS or authentication",
          R"(none: both are a reverse proxy's, see "TLS and authentication" in the README)"};
}

}  // namespace procevent

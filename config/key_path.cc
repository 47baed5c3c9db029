#include "config/key_path.h"

#include <algorithm>

#include "config/text.h"
#include "core/base/ascii.h"

namespace procevent {
namespace {

bool IsPlainWord(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) { return IsAlphanumeric(c) || c == '_' || c == '-'; });
}

}  // namespace

std::string JoinPath(const std::string& path, std::string_view key) {
  constexpr std::size_t kMostBytes = 40;
  const std::string part = IsPlainWord(key) ? Printable(key, kMostBytes) : Quoted(key, kMostBytes);
  return path.empty() ? part : path + '.' + part;
}

std::string JoinIndex(const std::string& path, std::size_t index) { return path + '[' + std::to_string(index) + ']'; }

}  // namespace procevent

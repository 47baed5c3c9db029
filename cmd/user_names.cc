#include "cmd/user_names.h"

#include <pwd.h>

#include <vector>

namespace procevent {
namespace {

std::string NameOf(std::uint32_t user) {
  constexpr std::size_t kRoom = 16U << 10U;
  std::vector<char> room(kRoom);
  passwd entry{};
  passwd* found = nullptr;
  const bool asked = ::getpwuid_r(user, &entry, room.data(), room.size(), &found) == 0;
  return asked && found != nullptr ? found->pw_name : std::to_string(user);
}

}  // namespace

const std::string& UserNames::Of(std::uint32_t user) {
  if (names_.size() >= kMost && !names_.contains(user)) {
    names_.clear();
  }
  const auto [at, fresh] = names_.try_emplace(user);
  if (fresh) {
    at->second = NameOf(user);
  }
  return at->second;
}

}  // namespace procevent

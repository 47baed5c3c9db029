// What users are called. Used by watch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace procevent {

class UserNames {
 public:
  // The name that the machine has for the number, or else the number. Asked for once, as long as there is room.
  const std::string& Of(std::uint32_t user);

 private:
  static constexpr std::size_t kMost = 4096;

  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace procevent

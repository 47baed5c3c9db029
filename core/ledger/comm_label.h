// A name as it may stand in a label: valid UTF-8, one line, nothing that a terminal or a dashboard would not show.
// Pure; the comm table makes labels, once per distinct name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace procevent {

class CommLabel {
 public:
  static constexpr std::size_t kMostBytes = 63;  // all of a comm's 15 bytes as \xNN, and some more for groups

  CommLabel() = default;
  // Every byte that is not part of a visible character becomes \xNN, as in a name that says so in four characters. Cut
  // where it grows too long, never inside of a character.
  explicit CommLabel(std::string_view bytes);

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
  bool operator==(const CommLabel& other) const { return view() == other.view(); }

 private:
  [[nodiscard]] bool Append(std::string_view piece);

  std::array<char, kMostBytes> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace procevent

// How long nobody listened: from the last event that only a kernel that speaks to us can have made, to the next proof.
// Pure; the reader owns it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace procevent {

class BlindTime {
 public:
  explicit BlindTime(std::uint64_t now_ns) : last_life_ns_(now_ns) { Begin(); }

  void NoteLife(std::uint64_t now_ns) { last_life_ns_ = now_ns; }
  // Blind since the last life.
  void Begin() {
    blind_ = true;
    since_ns_ = last_life_ns_;
  }
  // Proved again; how long this time.
  std::uint64_t End(std::uint64_t now_ns) {
    const std::uint64_t lasted = Current(now_ns);
    total_ns_ += lasted;
    blind_ = false;
    last_life_ns_ = now_ns;
    return lasted;
  }
  [[nodiscard]] std::uint64_t Total(std::uint64_t now_ns) const { return total_ns_ + Current(now_ns); }

 private:
  [[nodiscard]] std::uint64_t Current(std::uint64_t now_ns) const {
    return blind_ ? now_ns - std::min(now_ns, since_ns_) : 0;
  }

  bool blind_ = false;
  std::uint64_t since_ns_ = 0;
  std::uint64_t last_life_ns_;
  std::uint64_t total_ns_ = 0;
};

}  // namespace procevent

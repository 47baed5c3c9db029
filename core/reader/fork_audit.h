// Holds fork events against the kernel's own count of forks (/proc/stat), which also knows those that were lost and
// those that were made while nobody listened. At every scrape: 0 <= growth - fork events <= lost + unseen.
// Pure; the reader owns it.
#pragma once

#include <cstdint>
#include <optional>

namespace procevent {

class ForkAudit {
 public:
  // What the reader has at one moment.
  struct Booked {
    std::uint64_t forks = 0;
    std::uint64_t lost = 0;  // of any kind: some of them were forks
  };

  // How many forks the kernel has counted since the first call, which comes before the first subscription. `booked`
  // is older than that count.
  std::uint64_t Growth(std::uint64_t kernel_forks, const Booked& booked);

  // Forks that the kernel counted, and that neither came nor are explained by what was lost or unseen.
  [[nodiscard]] std::uint64_t Missing(std::uint64_t growth, const Booked& booked) const;

  // The kernel has just spoken to us, and what it counted up to `growth` came before. What was missing here already at
  // the time before was made in a silence too short to be noticed, and was never seen; what is missing for the first
  // time may only be late.
  // Returns how many it counted as such.
  std::uint64_t NoteAlive(std::uint64_t growth, const Booked& booked);
  // Nobody listened since NoteAlive: what is missing since then was never seen.
  void CountUnseen(std::uint64_t growth, const Booked& booked);
  [[nodiscard]] std::uint64_t unseen() const { return unseen_; }

 private:
  std::optional<std::uint64_t> base_;
  std::uint64_t unseen_ = 0;
  std::uint64_t missing_before_ = 0;
  std::uint64_t slack_ = 0;  // lost events that were no forks, up to NoteAlive: they explain no later fork
};

}  // namespace procevent

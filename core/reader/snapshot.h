// Everything a scrape may say about the reader, at one moment: filled by the reader, read by the exporter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/ledger/numbers.h"

namespace procevent {

// Why a fresh socket was opened.
enum class RestartReason : std::uint8_t {
  kNoAck,    // the subscription was not proved
  kSilence,  // the canary did not come back
  kFault,    // the socket failed
};
inline constexpr std::size_t kRestartReasons = 3;
inline constexpr std::array<std::string_view, kRestartReasons> kRestartReasonNames{"no_ack", "silence", "fault"};

struct Snapshot {
  explicit Snapshot(unsigned cpus = 0, const LedgerOptions& options = {}) : numbers(cpus, options) {}

  std::uint64_t taken_ns = 0;  // CLOCK_MONOTONIC; 0: never filled
  bool loss_exact = true;      // false with a narrowed mask: only socket_drops tells of losses

  Numbers numbers;

  bool replayed = false;   // all this is of a capture, and not of this machine
  bool listening = false;  // subscribed, and the canary answers; or the capture is whole
  Error cause;             // why not, while not listening
  std::array<std::uint64_t, kRestartReasons> restarts{};
  std::uint64_t blind_ns = 0;
  std::uint64_t forks_unseen = 0;
  std::optional<std::uint64_t> kernel_forks;  // growth of /proc/stat `processes` since start; not with a narrowed mask

  std::uint64_t socket_drops = 0;
  std::uint32_t queue_peak_bytes = 0;  // the fullest of the last minute
  std::uint32_t queue_limit_bytes = 0;
  std::uint64_t reader_cpu_ns = 0;
};

}  // namespace procevent

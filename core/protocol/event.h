// Process event of the connector as a plain value, with command names, wait statuses and signal names. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <variant>

namespace procevent {

// How a process ended: the decoded wait status of an EXIT event.
struct WaitStatus {
  std::uint8_t status = 0;  // 0-255; 0 if a signal killed the process
  std::uint8_t signal = 0;  // the signal that killed the process, or 0
  bool core_dumped = false;

  bool operator==(const WaitStatus&) const = default;
};

WaitStatus DecodeWaitStatus(std::uint32_t wait_status);

// The order matches Event::Body and kEventNames.
enum class EventKind : std::uint8_t {
  kAck,
  kFork,
  kExec,
  kExit,
  kUid,
  kGid,
  kSid,
  kPtrace,
  kComm,
  kCoredump,
  kUnknown
};
inline constexpr std::size_t kEventKinds = 11;
inline constexpr std::array<std::string_view, kEventKinds> kEventNames{
    "ack", "fork", "exec", "exit", "uid", "gid", "sid", "ptrace", "comm", "coredump", "unknown"};

// Kernel IDs of a thread. The event bodies below have the memory layout of the kernel's.
struct Task {
  std::int32_t pid = 0;   // thread ID
  std::int32_t tgid = 0;  // process ID
  bool operator==(const Task&) const = default;
};

inline constexpr std::size_t kCommSize = 16;  // up to 15 bytes of any value, and a NUL

struct AckBody {
  std::uint32_t error = 0;  // 0, or the errno of the answered LISTEN or IGNORE
  bool operator==(const AckBody&) const = default;
};
struct ForkBody {
  Task parent;
  Task child;
  bool operator==(const ForkBody&) const = default;
};
struct ExecBody {
  Task task;
  bool operator==(const ExecBody&) const = default;
};
struct ExitBody {
  Task task;
  std::uint32_t wait_status = 0;    // as returned by waitpid; see DecodeWaitStatus
  std::uint32_t parent_signal = 0;  // signal sent to the parent, usually SIGCHLD; not the cause of the exit
  Task parent;
  bool operator==(const ExitBody&) const = default;
};
struct UidBody {
  Task task;
  std::uint32_t real = 0;
  std::uint32_t effective = 0;
  bool operator==(const UidBody&) const = default;
};
struct GidBody {
  Task task;
  std::uint32_t real = 0;
  std::uint32_t effective = 0;
  bool operator==(const GidBody&) const = default;
};
struct SidBody {
  Task task;
  bool operator==(const SidBody&) const = default;
};
struct PtraceBody {
  Task task;
  Task tracer;  // 0/0: detached
  bool operator==(const PtraceBody&) const = default;
};
struct CommBody {
  Task task;
  std::array<char, kCommSize> comm{};
  bool operator==(const CommBody&) const = default;
};
struct CoredumpBody {
  Task task;
  Task parent;
  bool operator==(const CoredumpBody&) const = default;
};
// Event type of a kernel newer than this program. The payload is a view into the datagram.
struct UnknownBody {
  std::span<const std::byte> payload;
  bool operator==(const UnknownBody& other) const { return std::ranges::equal(payload, other.payload); }
};

inline constexpr std::uint32_t kNoCpu = UINT32_MAX;  // `cpu` of an ACK that is not bound to a CPU

struct Event {
  using Body = std::variant<AckBody, ForkBody, ExecBody, ExitBody, UidBody, GidBody, SidBody, PtraceBody, CommBody,
                            CoredumpBody, UnknownBody>;

  std::uint32_t sequence = 0;      // per CPU, advances with every event that the kernel generates
  std::uint32_t acknowledged = 0;  // in an ACK: token of the request + 1
  std::uint32_t what = 0;          // event type as the kernel wrote it
  std::uint32_t cpu = 0;
  std::uint64_t timestamp_ns = 0;  // CLOCK_MONOTONIC
  Body body;

  [[nodiscard]] EventKind kind() const { return static_cast<EventKind>(body.index()); }
  bool operator==(const Event&) const = default;
};
static_assert(std::variant_size_v<Event::Body> == kEventKinds);

// Command name as the kernel stores it: up to 15 bytes of any value except NUL.
class CommName {
 public:
  static constexpr std::size_t kMaxBytes = kCommSize - 1;

  CommName() = default;
  // Truncates at the first NUL and after 15 bytes. /proc shows longer names for kernel threads.
  explicit CommName(std::string_view bytes) {
    bytes = bytes.substr(0, std::min(bytes.find('\0'), kMaxBytes));
    std::ranges::copy(bytes, bytes_.begin());
  }
  explicit CommName(const std::array<char, kCommSize>& comm) : CommName(std::string_view(comm.data(), comm.size())) {}

  [[nodiscard]] std::string_view view() const {
    return {bytes_.data(), static_cast<std::size_t>(std::ranges::find(bytes_, '\0') - bytes_.begin())};
  }
  [[nodiscard]] std::uint64_t hash() const {
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), bytes_.data(), bytes_.size());
    const std::uint64_t mixed = (halves[0] * kMultiplier) ^ halves[1];
    return ((mixed ^ (mixed >> 32U)) * kMultiplier) >> 32U;
  }
  bool operator==(const CommName&) const = default;

 private:
  std::array<char, kCommSize> bytes_{};  // padded with NUL
};

}  // namespace procevent

// FOLDED: comm_name.h, wait_status.h, event.h
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace procevent {

// What an EXIT event's wait status says: how a process ended. Pure.

struct WaitStatus {
  std::uint8_t status = 0;  // 0-255; 0 if a signal killed it
  std::uint8_t signal = 0;  // the signal that killed it, or 0
  bool core_dumped = false;

  bool operator==(const WaitStatus&) const = default;
};

WaitStatus DecodeWaitStatus(std::uint32_t wait_status);

// One process event, as a plain value: what every room above the protocol speaks of.

// The order is that of Event::body and of kEventNames.
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

struct Task {
  std::int32_t pid = 0;   // the thread
  std::int32_t tgid = 0;  // its process
  bool operator==(const Task&) const = default;
};

inline constexpr std::size_t kCommSize = 16;  // 15 bytes and a NUL, any bytes

struct AckBody {
  std::uint32_t error = 0;  // 0, or the errno of the LISTEN or IGNORE that is answered
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
  std::uint32_t wait_status = 0;    // as waitpid gives it: see DecodeWaitStatus
  std::uint32_t parent_signal = 0;  // what the parent is sent, usually SIGCHLD; not the cause of death
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
// An event of a kernel newer than this program. The payload is a view into the datagram: valid as long as that is.
struct UnknownBody {
  std::span<const std::byte> payload;
  bool operator==(const UnknownBody& other) const { return std::ranges::equal(payload, other.payload); }
};

inline constexpr std::uint32_t kNoCpu = UINT32_MAX;  // an ACK that was made on no CPU in particular

struct Event {
  using Body = std::variant<AckBody, ForkBody, ExecBody, ExitBody, UidBody, GidBody, SidBody, PtraceBody, CommBody,
                            CoredumpBody, UnknownBody>;

  std::uint32_t sequence = 0;      // per CPU, advances with every event the kernel makes
  std::uint32_t acknowledged = 0;  // in an ACK: the request's token + 1
  std::uint32_t what = 0;          // the type as the kernel wrote it
  std::uint32_t cpu = 0;
  std::uint64_t timestamp_ns = 0;  // CLOCK_MONOTONIC
  Body body;

  [[nodiscard]] EventKind kind() const { return static_cast<EventKind>(body.index()); }
  bool operator==(const Event&) const = default;
};
static_assert(std::variant_size_v<Event::Body> == kEventKinds);

// A command's name as the kernel keeps it: up to 15 bytes of anything but NUL. Every room above speaks of names so.

class CommName {
 public:
  static constexpr std::size_t kMaxBytes = kCommSize - 1;

  CommName() = default;
  // Ends at the first NUL; /proc shows kernel threads by longer names, and those are cut.
  explicit CommName(std::string_view bytes) {
    bytes = bytes.substr(0, std::min(bytes.find('\0'), kMaxBytes));
    std::ranges::copy(bytes, bytes_.begin());
  }
  explicit CommName(const std::array<char, kCommSize>& comm) : CommName(std::string_view(comm.data(), comm.size())) {}

  [[nodiscard]] std::string_view view() const {
    return {bytes_.data(), static_cast<std::size_t>(std::ranges::find(bytes_, '\0') - bytes_.begin())};
  }
  [[nodiscard]] std::uint64_t hash() const {
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), bytes_.data(), bytes_.size());
    const std::uint64_t mixed = (halves[0] * kOdd) ^ halves[1];
    return ((mixed ^ (mixed >> 32U)) * kOdd) >> 32U;
  }
  bool operator==(const CommName&) const = default;

 private:
  std::array<char, kCommSize> bytes_{};  // the rest is NUL
};

// SIGKILL for 9: signals as people write them. Pure.

// Real-time signals count from SIGRTMIN as glibc does; what has no name is SIG and its number.
std::string SignalName(unsigned signal);

// Ends a process that does nothing about it.
bool EndsByDefault(unsigned signal);

}  // namespace procevent

// One process event, as a plain value: what every room above the protocol speaks of.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace procevent {

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

}  // namespace procevent

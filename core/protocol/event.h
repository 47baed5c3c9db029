// Process event of the connector as a plain value, with command names, wait statuses and signal names. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

#include "core/protocol/wire.h"

namespace procevent {

// How a process ended: the decoded wait status of an EXIT event.
struct WaitStatus {
  std::uint8_t status = 0;  // 0-255; 0 if a signal killed the process
  std::uint8_t signal = 0;  // the signal that killed the process, or 0
  bool core_dumped = false;

  bool operator==(const WaitStatus&) const = default;
};

WaitStatus DecodeWaitStatus(std::uint32_t wait_status);

// Kernel IDs of a thread.
struct Task {
  std::int32_t pid = 0;   // thread ID
  std::int32_t tgid = 0;  // process ID
  bool operator==(const Task&) const = default;
};

inline constexpr std::size_t kCommSize = 16;  // up to 15 bytes of any value, and a NUL

// The bodies of the events, one struct for each kind. Each has the memory layout of the kernel's, and describes its
// kind:
//   kName         in output and configuration
//   kTypes        the kernel's event types, each of which is also the bit of a filter; the first one is the default
//   VisitFields   calls fields.Number(name, number), fields.Task(pid_name, tgid_name, task), fields.Comm(comm),
//                 fields.RawWaitStatus(wait_status) or fields.Payload(bytes) for each field, in order
struct AckBody {
  static constexpr std::string_view kName = "ack";
  static constexpr std::array kTypes{wire::kWhatAck};  // 0: no filter has a bit for it

  std::uint32_t error = 0;  // 0, or the errno of the answered LISTEN or IGNORE

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Number("err", error);
  }
  bool operator==(const AckBody&) const = default;
};

struct ForkBody {
  static constexpr std::string_view kName = "fork";
  static constexpr std::array kTypes{wire::kWhatFork};

  Task parent;
  Task child;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("parent_pid", "parent_tgid", parent);
    fields.Task("child_pid", "child_tgid", child);
  }
  bool operator==(const ForkBody&) const = default;
};

struct ExecBody {
  static constexpr std::string_view kName = "exec";
  static constexpr std::array kTypes{wire::kWhatExec};

  Task task;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
  }
  bool operator==(const ExecBody&) const = default;
};

struct ExitBody {
  static constexpr std::string_view kName = "exit";
  static constexpr std::array kTypes{wire::kWhatExit, wire::kWhatNonzeroExit};

  Task task;
  std::uint32_t wait_status = 0;    // as returned by waitpid; see DecodeWaitStatus
  std::uint32_t parent_signal = 0;  // signal sent to the parent, usually SIGCHLD; not the cause of the exit
  Task parent;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
    fields.Number("exit_code", wait_status);
    fields.Number("exit_signal", parent_signal);
    fields.Task("parent_pid", "parent_tgid", parent);
    fields.RawWaitStatus(wait_status);
  }
  bool operator==(const ExitBody&) const = default;
};

struct UidBody {
  static constexpr std::string_view kName = "uid";
  static constexpr std::array kTypes{wire::kWhatUid};

  Task task;
  std::uint32_t real = 0;
  std::uint32_t effective = 0;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
    fields.Number("ruid", real);
    fields.Number("euid", effective);
  }
  bool operator==(const UidBody&) const = default;
};

struct GidBody {
  static constexpr std::string_view kName = "gid";
  static constexpr std::array kTypes{wire::kWhatGid};

  Task task;
  std::uint32_t real = 0;
  std::uint32_t effective = 0;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
    fields.Number("rgid", real);
    fields.Number("egid", effective);
  }
  bool operator==(const GidBody&) const = default;
};

struct SidBody {
  static constexpr std::string_view kName = "sid";
  static constexpr std::array kTypes{wire::kWhatSid};

  Task task;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
  }
  bool operator==(const SidBody&) const = default;
};

struct PtraceBody {
  static constexpr std::string_view kName = "ptrace";
  static constexpr std::array kTypes{wire::kWhatPtrace};

  Task task;
  Task tracer;  // 0/0: detached

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
    fields.Task("tracer_pid", "tracer_tgid", tracer);
  }
  bool operator==(const PtraceBody&) const = default;
};

struct CommBody {
  static constexpr std::string_view kName = "comm";
  static constexpr std::array kTypes{wire::kWhatComm};

  Task task;
  std::array<char, kCommSize> comm{};

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
    fields.Comm(comm);
  }
  bool operator==(const CommBody&) const = default;
};

struct CoredumpBody {
  static constexpr std::string_view kName = "coredump";
  static constexpr std::array kTypes{wire::kWhatCoredump};

  Task task;
  Task parent;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Task("process_pid", "process_tgid", task);
    fields.Task("parent_pid", "parent_tgid", parent);
  }
  bool operator==(const CoredumpBody&) const = default;
};

// Event type of a kernel newer than this program. The payload is a view into the datagram.
struct UnknownBody {
  static constexpr std::string_view kName = "unknown";
  static constexpr std::array<std::uint32_t, 0> kTypes{};  // every other type

  std::span<const std::byte> payload;

  template <typename Fields>
  void VisitFields(Fields& fields) {
    fields.Payload(payload);
  }
  bool operator==(const UnknownBody& other) const { return std::ranges::equal(payload, other.payload); }
};

inline constexpr std::uint32_t kNoCpu = UINT32_MAX;  // `cpu` of an ACK that is not bound to a CPU

// The order matches Event::Body.
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

inline constexpr std::size_t kEventKinds = std::variant_size_v<Event::Body>;
static_assert(kEventKinds == static_cast<std::size_t>(EventKind::kUnknown) + 1);

// Calls `function` with the types of all bodies as template arguments, in the order of EventKind.
template <typename Function>
constexpr auto WithEventBodies(Function&& function) {
  return [&]<typename... Bodies>(std::type_identity<std::variant<Bodies...>> /*type*/) {
    return function.template operator()<Bodies...>();
  }(std::type_identity<Event::Body>());
}

inline constexpr std::array<std::string_view, kEventKinds> kEventNames =
    WithEventBodies([]<typename... Bodies>() { return std::array{Bodies::kName...}; });

// A body of this kind, all zeros.
Event::Body MakeBody(EventKind kind);

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
  // Without a call of memcmp, which the compiler makes for an array.
  bool operator==(const CommName& other) const {
    const auto [first, second] = Halves();
    const auto [other_first, other_second] = other.Halves();
    return ((first ^ other_first) | (second ^ other_second)) == 0;
  }

 private:
  [[nodiscard]] std::array<std::uint64_t, 2> Halves() const {
    return std::bit_cast<std::array<std::uint64_t, 2>>(bytes_);
  }

  std::array<char, kCommSize> bytes_{};  // padded with NUL
};

}  // namespace procevent

// FOLDED: key_reader.h, event_keys.h, message_forms.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"

namespace procevent {

// The keys of one JSON object, taken one by one, and the fault that it has. Used by json_datagram.

class JsonFieldReader {
 public:
  // The object must outlive this.
  explicit JsonFieldReader(const nlohmann::ordered_json& object) : object_(object) {}

  [[nodiscard]] bool Has(std::string_view key) const { return object_.contains(key); }

  // As EventFieldVisitor calls them. What is wrong is left as it is; Fault tells.
  void Number(std::string_view key, std::int32_t& number);
  void Number(std::string_view key, std::uint32_t& number);
  void Number(std::string_view key, std::uint64_t& number);
  void Comm(std::array<char, kCommSize>& comm);
  void RawWaitStatus(std::uint32_t wait_status);  // what is derived from it may be missing, but not contradict
  void Payload(std::span<const std::byte>& payload);

  // Which of these words it is. Nothing: none of them, and what the other keys should be is not known.
  std::optional<std::size_t> ReadChoice(std::string_view key, std::span<const std::string_view> words);

  void SetFault(std::string_view key, const std::string& found, const std::string& allowed);

  // Once all is taken; empty if all is well. A key that nobody took is told first: it may be another one misspelt.
  [[nodiscard]] std::string Fault() const;

 private:
  using Json = nlohmann::ordered_json;

  const Json* Take(std::string_view key);
  template <typename Integer>
  void Whole(std::string_view key, Integer& number);
  void CommHex(const Json& value, std::array<char, kCommSize>& comm);

  const Json& object_;
  std::vector<std::string_view> taken_;
  std::string fault_;
  bool keys_known_ = true;
  Bytes payload_;  // what an unknown event's payload is a view of
};

// The keys of an event as a JSON object, in their order, beside what they stand for: said once, for who writes them and
// for who reads them. Used by json_lines.

// Calls for each key of the event, all but the first, `event`: keys.Number(key, number), and for what is no number
// keys.Comm(bytes), keys.Ending(wait status) or keys.Payload(bytes). Who writes is given a copy of the event.
template <typename Keys>
class EventFieldVisitor {
 public:
  EventFieldVisitor(Keys& keys, Event& event) : keys_(keys), event_(event) {}

  void Visit() {
    keys_.Number("cpu", event_.cpu);
    keys_.Number("timestamp_ns", event_.timestamp_ns);
    keys_.Number("seq", event_.sequence);
    std::visit([this](auto& body) { this->Of(body); }, event_.body);
  }

 private:
  void Of(AckBody& body) {
    keys_.Number("ack", event_.acknowledged);
    keys_.Number("err", body.error);
  }
  void Of(ForkBody& body) {
    Pair("parent_pid", "parent_tgid", body.parent);
    Pair("child_pid", "child_tgid", body.child);
  }
  void Of(ExecBody& body) { Process(body.task); }
  void Of(ExitBody& body) {
    Process(body.task);
    keys_.Number("exit_code", body.wait_status);
    keys_.Number("exit_signal", body.parent_signal);
    Pair("parent_pid", "parent_tgid", body.parent);
    keys_.RawWaitStatus(body.wait_status);
  }
  void Of(UidBody& body) {
    Process(body.task);
    keys_.Number("ruid", body.real);
    keys_.Number("euid", body.effective);
  }
  void Of(GidBody& body) {
    Process(body.task);
    keys_.Number("rgid", body.real);
    keys_.Number("egid", body.effective);
  }
  void Of(SidBody& body) { Process(body.task); }
  void Of(PtraceBody& body) {
    Process(body.task);
    Pair("tracer_pid", "tracer_tgid", body.tracer);
  }
  void Of(CommBody& body) {
    Process(body.task);
    keys_.Comm(body.comm);
  }
  void Of(CoredumpBody& body) {
    Process(body.task);
    Pair("parent_pid", "parent_tgid", body.parent);
  }
  void Of(UnknownBody& body) {
    keys_.Number("what", event_.what);
    keys_.Payload(body.payload);
  }

  void Process(Task& task) { Pair("process_pid", "process_tgid", task); }
  void Pair(std::string_view pid, std::string_view tgid, Task& task) {
    keys_.Number(pid, task.pid);
    keys_.Number(tgid, task.tgid);
  }

  Keys& keys_;
  Event& event_;
};

// How a message is told in JSON that is no event: said once, for who writes it and for who reads it. Used by json_lines
// and json_datagram.

struct DecodeErrorFields {
  DecodeOutcome outcome;
  std::string_view error;
  std::string_view layer;  // of what is cut off
};
inline constexpr std::array kDecodeErrorFields{
    DecodeErrorFields{DecodeOutcome::kTruncatedNetlinkHeader, "truncated", "netlink"},
    DecodeErrorFields{DecodeOutcome::kTruncatedConnectorHeader, "truncated", "connector"},
    DecodeErrorFields{DecodeOutcome::kTruncatedEventHeader, "truncated", "header"},
    DecodeErrorFields{DecodeOutcome::kTruncatedEventBody, "truncated", "body"},
    DecodeErrorFields{DecodeOutcome::kForeignConnector, "wrong_connector", ""},
    DecodeErrorFields{DecodeOutcome::kOverrun, "overrun", ""},
    DecodeErrorFields{DecodeOutcome::kKernelError, "kernel", ""},  // and its errno
    DecodeErrorFields{DecodeOutcome::kReservedType, "reserved_type", ""},
    DecodeErrorFields{DecodeOutcome::kWrongLength, "wrong_length", ""},
};
inline constexpr std::array<std::string_view, 6> kErrorNames{"truncated", "wrong_connector", "overrun",
                                                             "kernel",    "reserved_type",   "wrong_length"};
inline constexpr std::array<std::string_view, 4> kLayerNames{"netlink", "connector", "header", "body"};

inline constexpr std::array<std::string_view, 3> kControlNames{"noop", "done", "ack"};
inline constexpr std::size_t kAckControlIndex = 2;  // the two before it are indexed by Control

}  // namespace procevent

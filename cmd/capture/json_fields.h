// Maps the fields of messages to the keys of JSON objects. One visitor serves writing and reading, so both agree.
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

#include "core/base/input_error.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"

namespace procevent {

// Adds the key `comm`, printable, and `comm_hex` with all bytes if the text of `comm` does not determine them.
void WriteComm(nlohmann::ordered_json& object, const std::array<char, kCommSize>& comm);

// Reads the fields of one JSON object and keeps its first error. A field with an error keeps its old value.
class JsonFieldReader {
 public:
  // The object must outlive the reader.
  explicit JsonFieldReader(const nlohmann::ordered_json& object) : object_(object) {}

  [[nodiscard]] bool Has(std::string_view key) const { return object_.contains(key); }

  // The interface that VisitEventFields calls.
  void Number(std::string_view key, std::int32_t& number);
  void Number(std::string_view key, std::uint32_t& number);
  void Number(std::string_view key, std::uint64_t& number);
  void Task(std::string_view pid_key, std::string_view tgid_key, procevent::Task& task) {
    Number(pid_key, task.pid);
    Number(tgid_key, task.tgid);
  }
  void Comm(std::array<char, kCommSize>& comm);
  void RawWaitStatus(std::uint32_t wait_status);  // the keys derived from it are optional, but must match it
  void Payload(std::span<const std::byte>& payload);

  // Returns the index of the key's value in `words`. No value: an error, after which the other keys are not checked,
  // because the set of valid keys depends on this value.
  std::optional<std::size_t> ReadChoice(std::string_view key, std::span<const std::string_view> words);

  // Records an invalid value of the key: `value` is what was found, in printable form.
  void SetInvalid(std::string_view key, const std::string& value, const std::string& expected);

  // Returns the first error. Call it after all fields have been read. An unknown key takes precedence, since it may be
  // the misspelling of a key that is reported as missing.
  [[nodiscard]] InputStatus Check() const;

 private:
  using Json = nlohmann::ordered_json;

  const Json* ReadValue(std::string_view key);
  template <typename Integer>
  void ReadInteger(std::string_view key, Integer& number);
  void ReadCommHex(const Json& value, std::array<char, kCommSize>& comm);
  void SetError(std::string_view key, std::string problem, std::string expected);

  const Json& object_;
  std::vector<std::string_view> read_keys_;
  std::optional<InputError> error_;
  bool keys_known_ = true;
  Bytes payload_;  // owns the bytes that an unknown event's payload refers to
};

// Calls a writer or reader for each key of an event except `event`, in the order of the JSON object. A reader changes
// the event. A writer is given a copy.
template <typename Fields>
void VisitEventFields(Fields& fields, Event& event) {
  fields.Number("cpu", event.cpu);
  fields.Number("timestamp_ns", event.timestamp_ns);
  fields.Number("seq", event.sequence);
  if (event.kind() == EventKind::kAck) {
    fields.Number("ack", event.acknowledged);
  } else if (event.kind() == EventKind::kUnknown) {
    fields.Number("what", event.what);
  }
  std::visit([&fields](auto& body) { body.VisitFields(fields); }, event.body);
}

// The JSON fields of a message that is not an event, for writing and reading.
struct DecodeErrorFields {
  DecodeOutcome outcome;
  std::string_view error;
  std::string_view layer;  // of the header or body that is cut off
};
inline constexpr std::array kDecodeErrorFields{
    DecodeErrorFields{DecodeOutcome::kTruncatedNetlinkHeader, "truncated", "netlink"},
    DecodeErrorFields{DecodeOutcome::kTruncatedConnectorHeader, "truncated", "connector"},
    DecodeErrorFields{DecodeOutcome::kTruncatedEventHeader, "truncated", "header"},
    DecodeErrorFields{DecodeOutcome::kTruncatedEventBody, "truncated", "body"},
    DecodeErrorFields{DecodeOutcome::kForeignConnector, "wrong_connector", ""},
    DecodeErrorFields{DecodeOutcome::kOverrun, "overrun", ""},
    DecodeErrorFields{DecodeOutcome::kKernelError, "kernel", ""},  // has the key `errno` too
    DecodeErrorFields{DecodeOutcome::kReservedType, "reserved_type", ""},
    DecodeErrorFields{DecodeOutcome::kWrongLength, "wrong_length", ""},
};
inline constexpr std::array<std::string_view, 6> kErrorNames{"truncated", "wrong_connector", "overrun",
                                                             "kernel",    "reserved_type",   "wrong_length"};
inline constexpr std::array<std::string_view, 4> kLayerNames{"netlink", "connector", "header", "body"};

inline constexpr std::array<std::string_view, 3> kControlNames{"noop", "done", "ack"};
inline constexpr std::size_t kAckControlIndex = 2;  // the names before it are indexed by Control

}  // namespace procevent

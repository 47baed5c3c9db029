#include "cmd/capture/event_json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/capture/json_fields.h"
#include "cmd/capture/line_input.h"
#include "core/base/text.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"
#include "core/statistics/group_name.h"

namespace procevent {

namespace {

using Json = nlohmann::ordered_json;

// Writes the fields of an event to a JSON object.
class JsonFieldWriter {
 public:
  explicit JsonFieldWriter(Json& object) : object_(object) {}

  template <typename Integer>
  void Number(std::string_view key, Integer number) {
    object_[std::string(key)] = number;
  }
  void Task(std::string_view pid_key, std::string_view tgid_key, const procevent::Task& task) {
    Number(pid_key, task.pid);
    Number(tgid_key, task.tgid);
  }
  void Comm(const std::array<char, kCommSize>& comm) { WriteComm(object_, comm); }
  void RawWaitStatus(std::uint32_t wait_status) {
    const WaitStatus decoded = DecodeWaitStatus(wait_status);
    if (decoded.signal == 0) {
      object_["status"] = decoded.status;
    } else {
      object_["signal"] = decoded.signal;
      object_["core_dumped"] = decoded.core_dumped;
    }
  }
  void Payload(std::span<const std::byte> payload) { object_["payload"] = EncodeHex(payload); }

 private:
  Json& object_;
};

Json ToJson(Event event) {
  Json object;
  object["event"] = kEventNames.at(static_cast<std::size_t>(event.kind()));
  JsonFieldWriter writer(object);
  VisitEventFields(writer, event);
  return object;
}

Json ErrorToJson(const Message& message) {
  const auto* const fields = std::ranges::find(kDecodeErrorFields, message.outcome, &DecodeErrorFields::outcome);
  Json object;
  object["error"] = fields->error;
  if (!fields->layer.empty()) {
    object["layer"] = fields->layer;
  }
  if (message.outcome == DecodeOutcome::kKernelError) {
    object["errno"] = message.kernel_errno;
  }
  return object;
}

InputError NoObject(std::string problem) {
  return {.problem = std::move(problem), .expected = "one object as printed by decode"};
}

// Parses an object without duplicate keys.
Result<Json, InputError> ParseObject(std::string_view line) {
  // Bounds the work on hostile input. A valid line has at most 12 keys, and at most 15 commas in a name.
  constexpr std::ptrdiff_t kMaxCommas = 64;
  if (std::ranges::count(line, ',') > kMaxCommas) {
    return NoObject("too many keys");
  }
  std::vector<std::string> keys;
  std::optional<std::string> duplicate;
  const auto record_key = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (std::ranges::find(keys, key) != keys.end()) {
        duplicate = key;
      }
      keys.push_back(key);
    }
    return true;
  };
  Json object;
  try {
    object = Json::parse(line, record_key);
  } catch (const Json::parse_error& error) {
    return NoObject("invalid JSON at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {  // a number beyond the range of double
    return NoObject("number out of range");
  }
  if (!object.is_object()) {
    return NoObject("unexpected JSON value");
  }
  if (duplicate) {
    return InputError{.problem = "duplicate key " + QuotePrintable(*duplicate), .expected = "each key once"};
  }
  return object;
}

// False if the decoder knows the event's type: the datagram would then decode to another line.
bool DecodesToUnknown(const Event& event) {
  bool unknown = false;
  ForEachMessage(EncodeEvent(event), [&unknown](const Message& message) {
    unknown = message.outcome == DecodeOutcome::kEvent && message.event.kind() == EventKind::kUnknown;
  });
  return unknown;
}

void ReadEvent(JsonFieldReader& keys, Message& message) {
  const auto kind = keys.ReadChoice("event", kEventNames);
  if (!kind) {
    return;
  }
  message.outcome = DecodeOutcome::kEvent;
  message.event.body = MakeBody(static_cast<EventKind>(*kind));
  VisitEventFields(keys, message.event);
  if (message.event.kind() == EventKind::kUnknown && !DecodesToUnknown(message.event)) {
    keys.SetInvalid("what", std::to_string(message.event.what), "a number that is not the type of a known event");
  }
}

void ReadControl(JsonFieldReader& keys, Message& message) {
  if (const auto control = keys.ReadChoice("control", kControlNames)) {
    message.outcome = *control == kAckControlIndex ? DecodeOutcome::kAcknowledgement : DecodeOutcome::kControl;
    message.control = static_cast<Control>(*control);
  }
}

void ReadError(JsonFieldReader& keys, Message& message) {
  const auto error = keys.ReadChoice("error", kErrorNames);
  if (!error) {
    return;
  }
  std::string_view layer;
  if (kErrorNames.at(*error) == kDecodeErrorFields.front().error) {
    layer = kLayerNames.at(keys.ReadChoice("layer", kLayerNames).value_or(0));
  }
  message.outcome = std::ranges::find_if(kDecodeErrorFields, [&](const DecodeErrorFields& fields) {
                      return fields.error == kErrorNames.at(*error) && fields.layer == layer;
                    })->outcome;
  if (message.outcome == DecodeOutcome::kKernelError) {
    constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
    keys.Number("errno", message.kernel_errno);
    if (message.kernel_errno <= 0 && message.kernel_errno != kMin) {
      keys.SetInvalid("errno", std::to_string(message.kernel_errno), "a number above 0, or " + std::to_string(kMin));
    }
  }
}

}  // namespace

std::string FormatJsonLine(const Event& event, const std::optional<CommName>& command, const std::string& user) {
  Json object = ToJson(event);
  if (command) {
    object["command"] = LabelValue(command->view()).view();
  }
  if (!user.empty()) {
    object["user"] = LabelValue(user).view();
  }
  return object.dump();
}

std::string FormatLossJsonLine(std::uint32_t lost, std::uint32_t cpu) {
  return Json{{"lost", lost}, {"cpu", cpu}}.dump();
}

std::string FormatJsonLine(const Message& message) {
  switch (message.outcome) {
    case DecodeOutcome::kEvent:
      return ToJson(message.event).dump();
    case DecodeOutcome::kControl:
      return Json{{"control", kControlNames.at(static_cast<std::size_t>(message.control))}}.dump();
    case DecodeOutcome::kAcknowledgement:
      return Json{{"control", kControlNames[kAckControlIndex]}}.dump();
    default:
      return ErrorToJson(message).dump();
  }
}

Result<Bytes, InputError> ParseJsonLine(std::string_view line) {
  const Result<Json, InputError> object = ParseObject(line);
  if (!object) {
    return object.error();
  }
  JsonFieldReader keys(object.value());
  Message message;
  if (keys.Has("event")) {
    ReadEvent(keys, message);
  } else if (keys.Has("control")) {
    ReadControl(keys, message);
  } else if (keys.Has("error")) {
    ReadError(keys, message);
  } else {
    return NoObject("missing key event, control or error");
  }
  if (InputStatus valid = keys.Check(); !valid) {
    return std::move(valid).error();
  }
  return EncodeMessage(message);
}

}  // namespace procevent

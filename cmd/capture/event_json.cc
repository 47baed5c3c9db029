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
#include <vector>

#include "cmd/capture/json_fields.h"
#include "cmd/capture/line_input.h"
#include "config/yaml/config_error.h"
#include "core/ledger/group_name.h"
#include "core/protocol/decoder.h"
#include "core/protocol/event.h"

namespace procevent {

namespace {

using Json = nlohmann::ordered_json;
using CommBytes = std::array<char, kCommSize>;

// What the kernel's own names are: nothing behind the NUL, and nothing before it that is not shown as it is.
bool IsPlain(const CommBytes& comm) {
  const CommName name(comm);
  CommBytes alone{};
  std::ranges::copy(name.view(), alone.begin());
  return comm == alone && CommLabel(name.view()).view() == name.view();
}

class JsonFieldWriter {
 public:
  explicit JsonFieldWriter(Json& object) : object_(object) {}

  template <typename Integer>
  void Number(std::string_view key, Integer number) {
    object_[std::string(key)] = number;
  }
  void Comm(const CommBytes& comm) {
    object_["comm"] = CommLabel(CommName(comm).view()).view();
    if (!IsPlain(comm)) {
      object_["comm_hex"] = EncodeHex(std::as_bytes(std::span(comm)));
    }
  }
  void RawWaitStatus(std::uint32_t wait_status) {
    const WaitStatus ending = DecodeWaitStatus(wait_status);
    if (ending.signal == 0) {
      object_["status"] = ending.status;
    } else {
      object_["signal"] = ending.signal;
      object_["core_dumped"] = ending.core_dumped;
    }
  }
  void Payload(std::span<const std::byte> payload) { object_["payload"] = EncodeHex(payload); }

 private:
  Json& object_;
};

Json ObjectOf(Event event) {
  Json object;
  object["event"] = kEventNames.at(static_cast<std::size_t>(event.kind()));
  JsonFieldWriter writer(object);
  EventFieldVisitor(writer, event).Visit();
  return object;
}

Json ObjectOfFault(const Message& message) {
  const auto* const form = std::ranges::find(kDecodeErrorFields, message.outcome, &DecodeErrorFields::outcome);
  Json object;
  object["error"] = form->error;
  if (!form->layer.empty()) {
    object["layer"] = form->layer;
  }
  if (message.outcome == DecodeOutcome::kKernelError) {
    object["errno"] = message.kernel_errno;
  }
  return object;
}

}  // namespace

std::string FormatJsonLine(const Event& event, const std::optional<CommName>& command, const std::string& user) {
  Json object = ObjectOf(event);
  if (command) {
    object["command"] = CommLabel(command->view()).view();
  }
  if (!user.empty()) {
    object["user"] = CommLabel(user).view();
  }
  return object.dump();
}

std::string FormatLossJsonLine(std::uint32_t lost, std::uint32_t cpu) {
  return Json{{"lost", lost}, {"cpu", cpu}}.dump();
}

std::string FormatJsonLine(const Message& message) {
  switch (message.outcome) {
    case DecodeOutcome::kEvent:
      return ObjectOf(message.event).dump();
    case DecodeOutcome::kControl:
      return Json{{"control", kControlNames.at(static_cast<std::size_t>(message.control))}}.dump();
    case DecodeOutcome::kAcknowledgement:
      return Json{{"control", kControlNames[kAckControlIndex]}}.dump();
    default:
      return ObjectOfFault(message).dump();
  }
}

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAllowed = ", allowed is one object as decode prints it";

// An empty body of each kind, in their order.
const std::array<Event::Body, kEventKinds>& EmptyBodies() {
  static const std::array<Event::Body, kEventKinds> bodies{AckBody{},  ForkBody{},     ExecBody{},   ExitBody{},
                                                           UidBody{},  GidBody{},      SidBody{},    PtraceBody{},
                                                           CommBody{}, CoredumpBody{}, UnknownBody{}};
  return bodies;
}

// What is wrong with the line as JSON; empty if it is an object with each key once.
std::string Parse(std::string_view line, Json& object) {
  constexpr std::ptrdiff_t kMostCommas = 64;  // a line of ours has 12 keys at most, and a name of 15 bytes
  if (std::ranges::count(line, ',') > kMostCommas) {
    return "found far too many keys" + std::string(kAllowed);
  }
  std::vector<std::string> keys;
  std::string twice;
  const auto look = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      twice = std::ranges::find(keys, key) == keys.end() ? twice : key;
      keys.push_back(key);
    }
    return true;
  };
  try {
    object = Json::parse(line, look);
  } catch (const Json::parse_error& error) {
    return "found no JSON at byte " + std::to_string(error.byte) + std::string(kAllowed);
  } catch (const Json::exception&) {  // a number that no double holds
    return "found a number without bounds" + std::string(kAllowed);
  }
  if (!object.is_object()) {
    return "found no object" + std::string(kAllowed);
  }
  return twice.empty() ? "" : EscapeUnprintable(twice) + ": found the key a second time, allowed is each key once";
}

// An unknown event that a decoder knows after all would come back as another line.
bool StaysUnknown(const Event& event) {
  const Bytes datagram = EncodeEvent(event);
  Decoder decoder(datagram);
  Message message;
  return decoder.Next(message) && message.outcome == DecodeOutcome::kEvent &&
         message.event.kind() == EventKind::kUnknown;
}

void ReadEvent(JsonFieldReader& keys, Message& message) {
  const auto kind = keys.ReadChoice("event", kEventNames);
  if (!kind) {
    return;
  }
  message.outcome = DecodeOutcome::kEvent;
  message.event.body = EmptyBodies().at(*kind);
  EventFieldVisitor(keys, message.event).Visit();
  if (message.event.kind() == EventKind::kUnknown && !StaysUnknown(message.event)) {
    keys.SetFault("what", std::to_string(message.event.what), "a number that is no other event's");
  }
}

void ReadControl(JsonFieldReader& keys, Message& message) {
  if (const auto control = keys.ReadChoice("control", kControlNames)) {
    message.outcome = *control == kAckControlIndex ? DecodeOutcome::kAcknowledgement : DecodeOutcome::kControl;
    message.control = static_cast<Control>(*control);
  }
}

void ReadFault(JsonFieldReader& keys, Message& message) {
  const auto error = keys.ReadChoice("error", kErrorNames);
  if (!error) {
    return;
  }
  std::string_view layer;
  if (kErrorNames.at(*error) == kDecodeErrorFields.front().error) {
    layer = kLayerNames.at(keys.ReadChoice("layer", kLayerNames).value_or(0));
  }
  message.outcome = std::ranges::find_if(kDecodeErrorFields, [&](const DecodeErrorFields& form) {
                      return form.error == kErrorNames.at(*error) && form.layer == layer;
                    })->outcome;
  if (message.outcome == DecodeOutcome::kKernelError) {
    constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
    keys.Number("errno", message.kernel_errno);
    if (message.kernel_errno <= 0 && message.kernel_errno != kLowest) {
      keys.SetFault("errno", std::to_string(message.kernel_errno), "a number above 0, or " + std::to_string(kLowest));
    }
  }
}

}  // namespace

std::variant<Bytes, std::string> ParseJsonLine(std::string_view line) {
  Json object;
  if (std::string fault = Parse(line, object); !fault.empty()) {
    return fault;
  }
  JsonFieldReader keys(object);
  Message message;
  if (keys.Has("event")) {
    ReadEvent(keys, message);
  } else if (keys.Has("control")) {
    ReadControl(keys, message);
  } else if (keys.Has("error")) {
    ReadFault(keys, message);
  } else {
    return "found an object without event, control and error" + std::string(kAllowed);
  }
  if (std::string fault = keys.Fault(); !fault.empty()) {
    return fault;
  }
  return EncodeMessage(message);
}

}  // namespace procevent

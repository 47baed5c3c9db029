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

class KeyWriter {
 public:
  explicit KeyWriter(Json& object) : object_(object) {}

  template <typename Integer>
  void Number(std::string_view key, Integer number) {
    object_[std::string(key)] = number;
  }
  void Comm(const CommBytes& comm) {
    object_["comm"] = CommLabel(CommName(comm).view()).view();
    if (!IsPlain(comm)) {
      object_["comm_hex"] = HexOf(std::as_bytes(std::span(comm)));
    }
  }
  void Ending(std::uint32_t wait_status) {
    const WaitStatus ending = DecodeWaitStatus(wait_status);
    if (ending.signal == 0) {
      object_["status"] = ending.status;
    } else {
      object_["signal"] = ending.signal;
      object_["core_dumped"] = ending.core_dumped;
    }
  }
  void Payload(std::span<const std::byte> payload) { object_["payload"] = HexOf(payload); }

 private:
  Json& object_;
};

Json ObjectOf(Event event) {
  Json object;
  object["event"] = kEventNames.at(static_cast<std::size_t>(event.kind()));
  KeyWriter writer(object);
  EventKeys(writer, event).Visit();
  return object;
}

Json ObjectOfFault(const Message& message) {
  const auto* const form = std::ranges::find(kFaultForms, message.outcome, &FaultForm::outcome);
  Json object;
  object["error"] = form->error;
  if (!form->layer.empty()) {
    object["layer"] = form->layer;
  }
  if (message.outcome == Outcome::kKernelError) {
    object["errno"] = message.kernel_errno;
  }
  return object;
}

}  // namespace

std::string JsonLineOf(const Event& event, const std::optional<CommName>& command, const std::string& user) {
  Json object = ObjectOf(event);
  if (command) {
    object["command"] = CommLabel(command->view()).view();
  }
  if (!user.empty()) {
    object["user"] = CommLabel(user).view();
  }
  return object.dump();
}

std::string JsonLineOfLoss(std::uint32_t lost, std::uint32_t cpu) { return Json{{"lost", lost}, {"cpu", cpu}}.dump(); }

std::string JsonLineOf(const Message& message) {
  switch (message.outcome) {
    case Outcome::kEvent:
      return ObjectOf(message.event).dump();
    case Outcome::kControl:
      return Json{{"control", kControls.at(static_cast<std::size_t>(message.control))}}.dump();
    case Outcome::kAcknowledgement:
      return Json{{"control", kControls[kAckControl]}}.dump();
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
  return twice.empty() ? "" : Printable(twice) + ": found the key a second time, allowed is each key once";
}

// An unknown event that a decoder knows after all would come back as another line.
bool StaysUnknown(const Event& event) {
  const Bytes datagram = EncodeEvent(event);
  Decoder decoder(datagram);
  Message message;
  return decoder.Next(message) && message.outcome == Outcome::kEvent && message.event.kind() == EventKind::kUnknown;
}

void ReadEvent(KeyReader& keys, Message& message) {
  const auto kind = keys.Word("event", kEventNames);
  if (!kind) {
    return;
  }
  message.outcome = Outcome::kEvent;
  message.event.body = EmptyBodies().at(*kind);
  EventKeys(keys, message.event).Visit();
  if (message.event.kind() == EventKind::kUnknown && !StaysUnknown(message.event)) {
    keys.Refuse("what", std::to_string(message.event.what), "a number that is no other event's");
  }
}

void ReadControl(KeyReader& keys, Message& message) {
  if (const auto control = keys.Word("control", kControls)) {
    message.outcome = *control == kAckControl ? Outcome::kAcknowledgement : Outcome::kControl;
    message.control = static_cast<Control>(*control);
  }
}

void ReadFault(KeyReader& keys, Message& message) {
  const auto error = keys.Word("error", kErrors);
  if (!error) {
    return;
  }
  std::string_view layer;
  if (kErrors.at(*error) == kFaultForms.front().error) {
    layer = kLayers.at(keys.Word("layer", kLayers).value_or(0));
  }
  message.outcome = std::ranges::find_if(kFaultForms, [&](const FaultForm& form) {
                      return form.error == kErrors.at(*error) && form.layer == layer;
                    })->outcome;
  if (message.outcome == Outcome::kKernelError) {
    constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
    keys.Number("errno", message.kernel_errno);
    if (message.kernel_errno <= 0 && message.kernel_errno != kLowest) {
      keys.Refuse("errno", std::to_string(message.kernel_errno), "a number above 0, or " + std::to_string(kLowest));
    }
  }
}

}  // namespace

std::variant<Bytes, std::string> DatagramOf(std::string_view line) {
  Json object;
  if (std::string fault = Parse(line, object); !fault.empty()) {
    return fault;
  }
  KeyReader keys(object);
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

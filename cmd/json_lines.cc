#include "cmd/json_lines.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "cmd/event_keys.h"
#include "cmd/hex.h"
#include "cmd/message_forms.h"
#include "core/ledger/comm_label.h"
#include "core/protocol/comm_name.h"
#include "core/protocol/wait_status.h"

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

}  // namespace procevent

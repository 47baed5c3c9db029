// The keys of an event as a JSON object, in their order, beside what they stand for: said once, for who writes them and
// for who reads them. Used by json_lines.
#pragma once

#include <string_view>
#include <variant>

#include "core/protocol/event.h"

namespace procevent {

// Calls for each key of the event, all but the first, `event`: keys.Number(key, number), and for what is no number
// keys.Comm(bytes), keys.Ending(wait status) or keys.Payload(bytes). Who writes is given a copy of the event.
template <typename Keys>
class EventKeys {
 public:
  EventKeys(Keys& keys, Event& event) : keys_(keys), event_(event) {}

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
    keys_.Ending(body.wait_status);
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

}  // namespace procevent

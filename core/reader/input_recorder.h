// Applies inputs to the processor, and records each of them first if there is a capture.
#pragma once

#include <cstdint>

#include "core/protocol/capture_packet.h"
#include "core/protocol/input.h"
#include "core/reader/input_processor.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {

// A replay applies exactly what was recorded, so it gives the same numbers. The reader owns it; its parts share it.
class InputRecorder {
 public:
  // `capture` may be null: then nothing is recorded. Both must outlive it.
  InputRecorder(InputProcessor& processor, CaptureWriter* capture) : processor_(processor), capture_(capture) {}

  // After each subscription: writes the metadata that a capture begins with, if that is not done.
  void BeginCapture();

  // `now_ns` is when the input was received or taken. See InputProcessor::Apply for the hooks.
  template <typename Hooks = NoEventHooks>
  void Apply(const Input& input, std::uint64_t now_ns, Hooks&& hooks = {}) {
    if (capture_ != nullptr) {
      Record(input, now_ns);
    }
    processor_.Apply(input, now_ns, hooks);
  }

  // From any thread: from now on a write waits only briefly for a pipe that its reader does not empty.
  void StopBlockingOnCapture() const {
    if (capture_ != nullptr) {
      capture_->LimitPipeWait();
    }
  }

 private:
  void Record(const Input& input, std::uint64_t now_ns);
  void Write(const EncodedPacket& packet, std::uint64_t now_ns);

  InputProcessor& processor_;
  CaptureWriter* capture_;
  std::uint64_t clock_offset_ns_ = 0;
  std::uint64_t flushed_ns_ = 0;
};

}  // namespace procevent

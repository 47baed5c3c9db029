#include "core/reader/input_recorder.h"

#include <variant>

#include "core/base/system.h"

namespace procevent {
namespace {

constexpr std::uint64_t kFlushInterval = kNanosPerSecond;

}  // namespace

void InputRecorder::BeginCapture() {
  if (capture_ == nullptr || clock_offset_ns_ != 0) {
    return;
  }
  const std::uint64_t now = MonotonicNanos();
  clock_offset_ns_ = ClockNanos(CLOCK_REALTIME) - now;
  RecordBuffer buffer;
  Write(EncodePacket(CaptureMetadata{.clock_offset_ns = clock_offset_ns_,
                                     .cpus = static_cast<unsigned>(processor_.stream().lost.size()),
                                     .coverage = processor_.coverage()},
                     buffer),
        now);
}

void InputRecorder::Record(const Input& input, std::uint64_t now_ns) {
  const ProcReconciler& reconciler = processor_.reconciler();
  if (std::holds_alternative<Watermark>(input) && !reconciler.any_unconfirmed() && !reconciler.any_request()) {
    return;  // the usual case: it would confirm nothing
  }
  RecordBuffer buffer;
  Write(EncodePacket(input, buffer), now_ns);
}

void InputRecorder::Write(const EncodedPacket& packet, std::uint64_t now_ns) {
  capture_->Write(now_ns + clock_offset_ns_, packet.family, packet.payload);
  if (now_ns - flushed_ns_ > kFlushInterval) {
    capture_->Flush();
    flushed_ns_ = now_ns;
  }
  processor_.Advance(now_ns);  // the replay does the same at this packet
}

}  // namespace procevent

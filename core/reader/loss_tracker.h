// Makes lost events visible: watches for drops, probes the CPUs, invalidates stale state and reports losses.
//
// Where a loss shows. The kernel numbers the events of each CPU. SequenceTracker counts a gap in these numbers, so a
// loss shows only when a later event of the same CPU arrives. A loss before the first event of a CPU is never visible,
// so a probe after each subscription sets the baseline of every CPU. Two steps make later losses visible without
// waiting for other events: the source's drop counter shows at once that something was dropped (CheckQueue), and a
// canary from each CPU then closes the gap (CpuProbe).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/system.h"
#include "core/reader/input_processor.h"
#include "core/reader/input_recorder.h"
#include "core/reader/notice_queue.h"
#include "core/reader/snapshot_exchange.h"
#include "core/sources/connector/event_source.h"

namespace procevent {

// The highest usage of the receive buffer in the last minute: one value per slot of six seconds. A new slot replaces
// the oldest. Pure. LossTracker owns it.
class QueuePeak {
 public:
  void RecordUsage(std::uint32_t bytes, std::uint64_t now_ns);
  // Over the last 54 to 60 seconds.
  [[nodiscard]] std::uint32_t PeakBytes(std::uint64_t now_ns);

 private:
  static constexpr std::size_t kSlots = 10;
  static constexpr std::uint64_t kSlotNanos = 6'000'000'000;
  void ClearSlotsUntil(std::uint64_t slot);

  std::array<std::uint32_t, kSlots> slots_{};
  std::uint64_t newest_slot_ = 0;
};

// Decides when to send a canary from every CPU. The first event of a CPU sets the baseline of its loss count. A
// drop shows only in the sequence number of the CPU's next event. The canary is that event. Pure.
// LossTracker owns it and sends the canaries.
class CpuProbe {
 public:
  // `drops`: the source's count so far. These drops are visible once the probe is finished.
  void Start(std::uint64_t drops, std::uint64_t now_ns) {
    in_progress_ = true;
    started_ns_ = now_ns;
    probed_drops_ = drops;
  }
  void Finish(std::uint64_t now_ns) {
    in_progress_ = false;
    last_end_ns_ = now_ns;
  }

  [[nodiscard]] bool in_progress() const { return in_progress_; }
  [[nodiscard]] std::uint64_t last_end_ns() const { return last_end_ns_; }
  // Whether there were drops that no probe has made visible as sequence gaps.
  [[nodiscard]] bool HasHiddenDrops(std::uint64_t drops) const { return drops != probed_drops_; }
  // While drops go on, one probe a second is enough.
  [[nodiscard]] std::uint64_t next_probe_ns() const { return started_ns_ + kNanosPerSecond; }

 private:
  bool in_progress_ = false;
  std::uint64_t started_ns_ = 0;
  std::uint64_t last_end_ns_ = 0;
  std::uint64_t probed_drops_ = 0;
};

// Limits how often losses are reported: the first at once, further ones as a sum once a minute.
// Pure. LossTracker owns it.
class LossReportLimiter {
 public:
  static constexpr std::uint64_t kInterval = 60 * kNanosPerSecond;

  struct Loss {
    std::uint64_t events = 0;
    bool queue_full = false;  // the socket dropped messages; otherwise the kernel had no memory to queue them
    bool operator==(const Loss&) const = default;
  };

  // `lost` and `drops` are totals. Returns what is to be reported now.
  [[nodiscard]] std::optional<Loss> TakeDueReport(std::uint64_t lost, std::uint64_t drops, std::uint64_t now_ns) {
    if (lost == reported_lost_ || now_ns < next_ns_) {
      return std::nullopt;
    }
    next_ns_ = now_ns + kInterval;
    return Loss{lost - std::exchange(reported_lost_, lost), drops != std::exchange(reported_drops_, drops)};
  }

 private:
  std::uint64_t reported_lost_ = 0;
  std::uint64_t reported_drops_ = 0;
  std::uint64_t next_ns_ = 0;
};

// The reader owns it; everything it refers to must outlive it.
class LossTracker {
 public:
  LossTracker(EventSource& source, const InputProcessor& processor, InputRecorder& inputs, NoticeQueue& notices)
      : source_(source), processor_(processor), inputs_(inputs), notices_(notices) {}

  // Reads the state of the receive buffer: usage, limit, drops. After a drop it invalidates the process table before
  // any later event is applied: the gap shows later, if ever.
  void CheckQueue(std::uint64_t now_ns);
  // Adds the queue's usage, as of the last CheckQueue, to the peak.
  void RecordQueueUsage(std::uint64_t now_ns) { peak_.RecordUsage(queue_.used_bytes, now_ns); }
  // Events were missed: the process table is stale now, and again when the queue is empty. Events that were queued
  // before the missed ones are applied only then.
  void Invalidate(std::uint64_t now_ns);
  // The queue was emptied: repeats a pending invalidation.
  void OnQueueEmptied(std::uint64_t now_ns);
  // Posts a notice about new losses, if one is due.
  void Report(std::uint64_t now_ns);

  void StartProbe(std::uint64_t now_ns) { probe_.Start(queue_.drops, now_ns); }
  // Starts a probe that is due, and goes on with one in progress.
  void ContinueProbe(bool queue_empty, std::uint64_t now_ns);
  [[nodiscard]] bool probing() const { return probe_.in_progress(); }
  [[nodiscard]] std::uint64_t last_probe_end_ns() const { return probe_.last_end_ns(); }
  [[nodiscard]] bool any_hidden_drops() const { return probe_.HasHiddenDrops(queue_.drops); }
  [[nodiscard]] std::uint64_t next_probe_ns() const { return probe_.next_probe_ns(); }

  [[nodiscard]] const QueueState& queue() const { return queue_; }
  // Reads that state again, and copies it to the snapshot.
  void FillSnapshot(Snapshot& snapshot, std::uint64_t now_ns);

 private:
  EventSource& source_;
  const InputProcessor& processor_;
  InputRecorder& inputs_;
  NoticeQueue& notices_;
  QueueState queue_;  // as last read
  QueuePeak peak_;
  std::uint64_t invalidated_drops_ = 0;  // drops after which the process table was invalidated
  bool invalidate_when_empty_ = false;
  CpuProbe probe_;
  LossReportLimiter report_limiter_;
};

}  // namespace procevent

// Drains the sources into the processor: receives a batch of events, and applies it after the inputs that explain it.
#pragma once

#include <cstdint>

#include "core/reader/drain_scheduler.h"
#include "core/reader/input_processor.h"
#include "core/reader/input_recorder.h"
#include "core/reader/loss_tracker.h"
#include "core/reader/scrape_answerer.h"
#include "core/reader/secondary_sources.h"
#include "core/reader/subscription_keeper.h"
#include "core/sources/connector/event_source.h"

namespace procevent {

// The reader owns it; everything it refers to must outlive it.
class EventDrain {
 public:
  EventDrain(EventSource& source, SecondarySources& secondary, InputProcessor& processor, InputRecorder& inputs,
             LossTracker& losses, SubscriptionKeeper& subscription, ScrapeAnswerer& answerer, std::uint64_t interval_ns)
      : source_(source),
        secondary_(secondary),
        processor_(processor),
        inputs_(inputs),
        losses_(losses),
        subscription_(subscription),
        answerer_(answerer),
        scheduler_(interval_ns) {}

  // Receives until the queue of events is empty, for at most 20 ms (kMaxRun), so that a scrape is not kept waiting.
  void Run();
  // Calls Run until the queue is empty, at most `max_runs` times.
  void RunUntilEmpty(int max_runs);

  [[nodiscard]] bool queue_empty() const { return queue_empty_; }  // after the last run
  // Every event that the kernel queued before this time has been applied.
  [[nodiscard]] std::uint64_t applied_until_ns() const { return applied_until_ns_; }
  [[nodiscard]] const DrainScheduler& scheduler() const { return scheduler_; }

 private:
  struct Hooks;  // for each event of a datagram; on the reader's hot path
  void ApplyEvents(std::uint64_t now_ns);

  EventSource& source_;
  SecondarySources& secondary_;
  InputProcessor& processor_;
  InputRecorder& inputs_;
  LossTracker& losses_;
  SubscriptionKeeper& subscription_;
  ScrapeAnswerer& answerer_;
  DrainScheduler scheduler_;
  bool queue_empty_ = false;
  std::uint64_t applied_until_ns_ = 0;
  std::uint64_t newest_event_ns_ = 0;  // timestamp of the last event of the last batch
};

}  // namespace procevent

// FOLDED: replay_options.h, replayer.h
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/base/thread.h"
#include "core/ledger/ledger.h"
#include "core/reader/capture_applier.h"
#include "core/reader/drain_scheduler.h"
#include "core/reader/notice_queue.h"
#include "core/reader/snapshot_exchange.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

// What a replay can be told. The configuration fills it in.

struct ReplayOptions {
  std::string file;    // a capture; empty: nothing is replayed
  unsigned speed = 1;  // a multiple of the recorded one; 0: as fast as possible
  bool loop = false;   // begin anew at the end
  bool operator==(const ReplayOptions&) const = default;
};

// The reader thread's stand-in where a capture is replayed: tells a ledger what was recorded, on the recorded events'
// own time, and answers scrapes through the same exchange. The same capture gives the same numbers, wherever and
// however fast it is replayed. Needs no privilege. cmd makes it, starts it, and stops it.

class Replayer {
 public:
  // Throws std::runtime_error if the capture cannot be replayed, or the system has no descriptors left.
  Replayer(StoredCapture capture, ReplayOptions options, const LedgerOptions& ledger_options);
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;
  ~Replayer() { Stop(); }

  // Starts the thread, which does `begin` before anything else; that throws nothing.
  void Start(std::function<void()> begin = {});
  void Stop() { thread_.Stop(); }

  // From any thread: names are booked by other rules from some moment on. Each rule must be right.
  void SetNameGroups(std::span<const NameGroup> groups) { groups_.Publish(std::make_unique<NameGroups>(groups)); }

  [[nodiscard]] const CaptureSummary& summary() const { return summary_; }
  [[nodiscard]] SnapshotExchange& exchange() { return exchange_; }
  [[nodiscard]] NoticeQueue& notices() { return notices_; }

 private:
  void Run();
  // Once from the beginning to the end. False: it is to stop, or the capture cannot be read any more.
  [[nodiscard]] bool PlayOnce();

  // Waits until it is that time in the capture, and answers scrapes meanwhile. False: it is to stop.
  [[nodiscard]] bool WaitUntil(std::uint64_t time_ns);
  [[nodiscard]] std::uint64_t Position() const;
  [[nodiscard]] std::uint64_t DueAt(std::uint64_t time_ns) const;
  void Obey();
  void Rest();

  const StoredCapture capture_;
  const ReplayOptions options_;
  const CaptureSummary summary_;
  Ledger ledger_;
  CaptureApplier playback_;
  SnapshotExchange exchange_;
  NoticeQueue notices_;
  LatestValue<NameGroups> groups_;
  StoppableThread thread_;
  Poller waiter_;

  std::uint64_t round_started_ns_ = 0;  // by the clock of this machine
  Error cause_;                         // why it ended before its time
};

}  // namespace procevent

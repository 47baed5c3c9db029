// Replays a capture in place of the reader.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/base/thread.h"
#include "core/reader/capture_applier.h"
#include "core/reader/input_processor.h"
#include "core/reader/notice_queue.h"
#include "core/reader/snapshot_exchange.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

// Options of a replay, from the configuration.
struct ReplayOptions {
  std::string file;    // the capture; empty: no replay
  unsigned speed = 1;  // a multiple of the recorded speed; 0: as fast as possible
  bool loop = false;   // start again at the end
  bool operator==(const ReplayOptions&) const = default;
};

// Runs a thread that takes the place of the reader: it applies the recorded inputs to a processor on the recorded time,
// and answers scrapes through the same exchange. The same capture gives the same numbers on every machine, at every
// speed. Needs no privilege. cmd creates, starts and stops it.
class Replayer {
 public:
  // Throws FatalError if the capture cannot be replayed, or the system has no descriptors left.
  Replayer(StoredCapture capture, ReplayOptions options, const CountingOptions& counting_options);
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;
  ~Replayer() { Stop(); }

  // Starts the thread, which calls `begin` before anything else. `begin` must not throw.
  void Start(std::function<void()> begin = {});
  void Stop() { thread_.Stop(); }

  // From any thread: publishes the options that a reload changes (ReloadedOptions). The thread applies the latest ones
  // when it next serves requests.
  void Reload(const CountingOptions& options) { reloaded_.Publish(std::make_unique<ReloadedOptions>(options)); }

  [[nodiscard]] const CaptureSummary& summary() const { return summary_; }
  [[nodiscard]] SnapshotExchange& exchange() { return exchange_; }
  [[nodiscard]] NoticeQueue& notices() { return notices_; }

 private:
  void Run();
  // Replays the capture once from start to end. False if the thread must stop, or the capture cannot be read any more.
  [[nodiscard]] bool RunRound();
  // Returns false if the thread must stop.
  [[nodiscard]] Result<bool> ApplyPackets(CaptureFile& file);

  // Waits until that time of the capture, and answers scrapes meanwhile. False if the thread must stop.
  [[nodiscard]] bool WaitUntil(std::uint64_t capture_ns);
  [[nodiscard]] std::uint64_t CaptureTimeNow() const;
  // When that time of the capture comes, by the clock of this machine.
  [[nodiscard]] std::uint64_t DueAt(std::uint64_t capture_ns) const;
  void ServeRequests();
  void FillStatus(ReaderStatus& status) const;
  void PublishStatus(std::uint64_t next_update_ns);
  void ServeUntilStopped();

  const StoredCapture capture_;
  const ReplayOptions options_;
  const CaptureSummary summary_;
  InputProcessor processor_;
  CaptureApplier applier_;
  SnapshotExchange exchange_;
  NoticeQueue notices_;
  LatestValue<ReloadedOptions> reloaded_;
  StoppableThread thread_;
  Poller poller_;

  std::uint64_t round_started_ns_ = 0;  // by the clock of this machine
  std::optional<StaticError> error_;    // why the replay ended early
};

}  // namespace procevent

#include "cmd/capture/record.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string_view>

#include "cmd/cli/output.h"
#include "cmd/logging/log.h"
#include "cmd/logging/notice_log.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/signals.h"
#include "core/base/fatal_error.h"
#include "core/base/system.h"
#include "core/reader/reader.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {
namespace {

constexpr std::uint64_t kPrintAll = std::numeric_limits<std::uint64_t>::max();  // a time at which every summary is due
constexpr std::uint64_t kUnlimited =
    std::numeric_limits<std::uint64_t>::max() / 2;  // a duration: may be added to a time
constexpr std::uint64_t kWriterCheckNs = 200 * kNanosPerMilli;
constexpr std::uint64_t kStartTimeoutNs = 10 * kNanosPerSecond;  // a full pipe may delay the first snapshot
constexpr std::chrono::milliseconds kStatusTimeout{200};         // between checks for signals

// Waits for the start and the end of a recording.
class Recording {
 public:
  Recording(Reader& reader, NoticeLog& notices, const CaptureWriter& writer, const SignalReceiver& signals)
      : reader_(reader), notices_(notices), writer_(writer), signals_(signals) {}

  // Waits until the subscription is acknowledged and the running processes are written. Returns an error if the reader
  // cannot subscribe. Time, a signal or a write error may end the wait.
  Status AwaitSubscription(std::uint64_t end_ns) {
    while (MonotonicNanos() < end_ns && IsRunning()) {
      if (reader_.exchange().AwaitStatus(kStatusTimeout)) {
        const ReaderStatus status = reader_.exchange().status();
        return status.subscribed ? Status(Success{}) : Error(status.subscription_error);
      }
    }
    return Success{};
  }

  // Waits for a signal, the end of the time, a write error, or a failure of the reader.
  void AwaitEnd(std::uint64_t end_ns) {
    for (std::uint64_t now = MonotonicNanos(); now < end_ns && IsRunning(); now = MonotonicNanos()) {
      notices_.Print(now);
      std::array<pollfd, 2> descriptors{pollfd{signals_.fd(), POLLIN, 0}, pollfd{notices_.fd(), POLLIN, 0}};
      ::poll(descriptors.data(), descriptors.size(), MillisUntil(std::min(end_ns, now + kWriterCheckNs), now));
    }
  }

 private:
  bool IsRunning() {
    stopped_ = stopped_ || signals_.ReadSignal() != 0;
    return !stopped_ && !writer_.failed() && !notices_.thread_failed();
  }

  Reader& reader_;
  NoticeLog& notices_;
  const CaptureWriter& writer_;
  const SignalReceiver& signals_;
  bool stopped_ = false;
};

// Describes the contents of the capture. After a write error, `events` are those that were received. `lost` is left out
// where source.events hides losses.
LogMessage FormatSummary(const Numbers& numbers, bool loss_exact, bool complete, const CaptureWriter& writer,
                         std::uint64_t duration_ns, const std::string& file) {
  std::uint64_t events = 0;
  for (const std::uint64_t count : numbers.events) {
    events += count;
  }
  LogMessage message{
      LogLevel::kInfo,
      complete ? "recording finished" : "recording stopped: the capture is incomplete",
      {{"events", events}, {"duration_ms", duration_ns / kNanosPerMilli}, {"bytes", writer.bytes()}, {"file", file}}};
  if (loss_exact) {
    message.fields.push_back({"lost", numbers.total_lost()});
  }
  return message;
}

// Returns false if the reader failed, with the cause in the log.
bool RecordTo(CaptureWriter& writer, const Config& config, const RecordOptions& options, const SignalReceiver& signals,
              const Log& log, PrivilegeDropper& privilege) {
  const EventCoverage coverage = CoverageOf(config.connector.events);
  Reader reader(MakeReaderSources(config.connector), config.reader, PossibleCpus(), coverage, config.counting, ProcFs(),
                &writer);
  NoticeLog notices(reader.notices(), [&log](const LogMessage& message) { log.Write(message); });
  Recording recording(reader, notices, writer, signals);
  reader.StartWithoutWaiting([&privilege] { privilege.KeepForReader(); });
  privilege.DropAll();
  const std::uint64_t duration =
      options.duration ? static_cast<std::uint64_t>(options.duration->count()) * kNanosPerMilli : kUnlimited;
  ValueOrThrow(recording.AwaitSubscription(MonotonicNanos() + duration + kStartTimeoutNs));
  const std::uint64_t start = MonotonicNanos();
  recording.AwaitEnd(start + duration);
  reader.Stop();
  notices.Print(kPrintAll);
  const Status written = writer.Finish();
  const bool complete = !writer.failed() && !notices.thread_failed();
  log.Write(FormatSummary(reader.FinalNumbers(), coverage == EventCoverage::kAll, complete, writer,
                          MonotonicNanos() - start, options.file));
  if (!written && written.error().cause.code != EPIPE) {  // a reader that closes the pipe ends the recording normally
    throw FatalError(written.error());
  }
  return !notices.thread_failed();
}

}  // namespace

int Record(const Config& config, const RecordOptions& options) {
  ReserveStandardDescriptors();
  const SignalReceiver signals;
  const Log log(config.log);
  try {
    CaptureWriter writer(options.file);
    PrivilegeDropper privilege([&log](const LogMessage& message) { log.Write(message); });
    return RecordTo(writer, config, options, signals, log, privilege) ? 0 : 1;
  } catch (const std::exception& e) {
    log.Write(MakeFatalMessage(e));
    return 1;
  }
}

}  // namespace procevent

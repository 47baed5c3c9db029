#include "cmd/capture/record.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "cmd/cli/output.h"
#include "cmd/logging/log.h"
#include "cmd/logging/notice_log.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/signals.h"
#include "config/yaml/config_error.h"
#include "core/base/system.h"
#include "core/reader/reader.h"
#include "core/sources/capture/capture_writer.h"
#include "core/sources/connector/connector_source.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kLookAfterWriter = 200 * kNanosPerMilli;
constexpr std::uint64_t kLongestStart = 10 * kNanosPerSecond;  // a pipe may be full before anything is heard
constexpr std::chrono::milliseconds kAnswer{200};              // then it looks for signals again

class Recording {
 public:
  Recording(Reader& reader, NoticeLog& notices, const CaptureWriter& writer, const SignalReceiver& signals)
      : reader_(reader), notices_(notices), writer_(writer), signals_(signals) {}

  // Until the kernel is heard, and who lives is written. Why it is not heard; nothing, if it is, or waiting is over.
  std::string AwaitKernel(std::uint64_t end_ns) {
    while (MonotonicNanos() < end_ns && Goes()) {
      if (const SubscriptionStatus state = RequestSubscriptionStatus(reader_.exchange(), kAnswer); state.answered) {
        return state.cause;
      }
    }
    return {};
  }

  // Until a signal comes, the time has passed, or nothing can be written any more.
  void AwaitEnd(std::uint64_t end_ns) {
    for (std::uint64_t now = MonotonicNanos(); now < end_ns && Goes(); now = MonotonicNanos()) {
      notices_.Print(now);
      std::array<pollfd, 2> wanted{pollfd{signals_.fd(), POLLIN, 0}, pollfd{notices_.fd(), POLLIN, 0}};
      ::poll(wanted.data(), wanted.size(), MillisUntil(std::min(end_ns, now + kLookAfterWriter), now));
    }
  }

 private:
  bool Goes() {
    stopped_ = stopped_ || signals_.ReadSignal() != 0;
    return !stopped_ && !writer_.failed();
  }

  Reader& reader_;
  NoticeLog& notices_;
  const CaptureWriter& writer_;
  const SignalReceiver& signals_;
  bool stopped_ = false;
};

// What the capture holds, or what it should.
std::string Told(const LedgerSnapshot& numbers, bool loss_exact, const CaptureWriter& writer, std::uint64_t lasted_ns) {
  std::uint64_t events = 0;
  for (const std::uint64_t kind : numbers.events) {
    events += kind;
  }
  return (writer.failed() ? "heard " : "recorded ") + std::to_string(events) + " events in " +
         std::to_string(lasted_ns / kNanosPerMilli) + " ms, " +
         (loss_exact ? std::to_string(numbers.total_lost()) : "it is not known how many") + " were lost; the capture " +
         (writer.failed() ? "ends before that, and has " : "has ") + std::to_string(writer.bytes()) + " bytes";
}

void RecordTo(CaptureWriter& writer, const Config& config, const RecordOptions& order, const SignalReceiver& signals,
              const Log& log, PrivilegeDropper& privilege) {
  const EventCoverage hearing = CoverageOf(config.connector.events);
  Reader reader(std::make_unique<ConnectorSource>(config.connector), config.reader, PossibleCpus(), hearing,
                config.ledger, ProcFs(), &writer);
  NoticeLog notices(reader.notices(), [&log](LogLevel level, std::string_view text) { log.Write(level, text); });
  Recording recording(reader, notices, writer, signals);
  reader.StartWithoutWaiting([&privilege] { privilege.KeepForReader(); });
  privilege.DropAll();
  const std::uint64_t lasts =
      order.duration ? static_cast<std::uint64_t>(order.duration->count()) * kNanosPerMilli : kEndOfTime / 2;
  if (const std::string cause = recording.AwaitKernel(MonotonicNanos() + lasts + kLongestStart); !cause.empty()) {
    throw std::runtime_error(cause);
  }
  const std::uint64_t began = MonotonicNanos();
  recording.AwaitEnd(began + lasts);
  reader.Stop();
  notices.Print(kEndOfTime);
  const Status written = writer.Finish();
  log.Write(LogLevel::kInfo,
            Told(reader.FinalLedgerSnapshot(), hearing == EventCoverage::kAll, writer, MonotonicNanos() - began));
  if (!written && written.error().code != EPIPE) {  // who has seen enough is no fault
    throw std::runtime_error(Describe(written.error()));
  }
}

}  // namespace

int Record(const Config& config, const RecordOptions& order) {
  ReserveStandardDescriptors();
  const SignalReceiver signals;
  const Log log(config.log);
  try {
    CaptureWriter writer(order.file);
    PrivilegeDropper privilege([&log](LogLevel level, std::string_view text) { log.Write(level, text); });
    RecordTo(writer, config, order, signals, log, privilege);
    return 0;
  } catch (const std::exception& e) {
    log.Write(LogLevel::kError, DescribeFatal(e));
    return 1;
  }
}

}  // namespace procevent

#include "cmd/record.h"

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

#include "cmd/log.h"
#include "cmd/notice_log.h"
#include "cmd/output.h"
#include "cmd/privilege.h"
#include "cmd/signals.h"
#include "cmd/why_ended.h"
#include "config/text.h"
#include "core/base/clock.h"
#include "core/base/cpus.h"
#include "core/reader/reader.h"
#include "core/source/capture_writer.h"
#include "core/source/connector_source.h"
#include "exporter/listener_state.h"

namespace procevent {
namespace {

constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kLookAfterWriter = 200 * kNanosPerMilli;

// Until a signal comes, the time has passed, or nothing can be written any more.
void AwaitEnd(const Signals& signals, NoticeLog& notices, const CaptureWriter& writer, std::uint64_t end_ns) {
  for (std::uint64_t now = MonotonicNanos(); now < end_ns && !writer.failed(); now = MonotonicNanos()) {
    notices.Print(now);
    std::array<pollfd, 2> wanted{pollfd{signals.fd(), POLLIN, 0}, pollfd{notices.fd(), POLLIN, 0}};
    ::poll(wanted.data(), wanted.size(), MillisUntil(std::min(end_ns, now + kLookAfterWriter), now));
    if (signals.Take() != 0) {
      return;
    }
  }
}

std::string Recorded(const Numbers& numbers, bool loss_exact, std::uint64_t bytes, std::uint64_t lasted_ns) {
  std::uint64_t events = 0;
  for (const std::uint64_t kind : numbers.events) {
    events += kind;
  }
  return "recorded " + std::to_string(events) + " events in " + std::to_string(lasted_ns / kNanosPerMilli) + " ms, " +
         (loss_exact ? std::to_string(numbers.lost_in_all()) : "it is not known how many") +
         " were lost; the capture has " + std::to_string(bytes) + " bytes";
}

void RecordTo(CaptureWriter& writer, const Config& config, const RecordOrder& order, const Signals& signals,
              const Log& log, Privilege& privilege) {
  const Hearing hearing = HearingOf(config.connector.events);
  Reader reader(std::make_unique<ConnectorSource>(config.connector), config.reader, PossibleCpus(), hearing,
                config.ledger, Proc(), &writer);
  NoticeLog notices(reader.notices(), [&log](LogLevel level, std::string_view text) { log.Say(level, text); });
  const std::uint64_t began = MonotonicNanos();
  reader.Start([&privilege] { privilege.KeepForReader(); });
  privilege.KeepNothing();
  const std::string cause = AskForState(reader.exchange(), kAnswerTimeout).cause;
  if (!cause.empty()) {
    reader.Stop();
    throw std::runtime_error(cause);
  }
  const auto lasts = order.duration ? std::chrono::nanoseconds(*order.duration).count() : 0;
  AwaitEnd(signals, notices, writer, order.duration ? began + static_cast<std::uint64_t>(lasts) : kEndOfTime);
  writer.Hurry();
  reader.Stop();
  notices.Print(kEndOfTime);
  const Status written = writer.Finish();
  log.Say(LogLevel::kInfo,
          Recorded(reader.Counted(), hearing == Hearing::kAll, writer.bytes(), MonotonicNanos() - began));
  if (!written && written.error().code != EPIPE) {  // who has seen enough is no fault
    throw std::runtime_error(Describe(written.error()));
  }
}

}  // namespace

int Record(const Config& config, const RecordOrder& order) {
  OpenStandardDescriptors();
  const Signals signals;
  const Log log(config.log);
  try {
    CaptureWriter writer(order.file);
    Privilege privilege([&log](LogLevel level, std::string_view text) { log.Say(level, text); });
    RecordTo(writer, config, order, signals, log, privilege);
    return 0;
  } catch (const std::exception& e) {
    log.Say(LogLevel::kError, WhyEnded(e));
    return 1;
  }
}

}  // namespace procevent

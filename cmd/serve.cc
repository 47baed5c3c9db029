#include "cmd/serve.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/log.h"
#include "cmd/notice_log.h"
#include "cmd/open_files.h"
#include "cmd/output.h"
#include "cmd/privilege.h"
#include "cmd/service_report.h"
#include "cmd/signals.h"
#include "core/base/clock.h"
#include "core/base/cpus.h"
#include "core/reader/reader.h"
#include "core/source/connector_source.h"
#include "exporter/readiness.h"
#include "exporter/server.h"

namespace procevent {
namespace {

Hearing HearingOf(EventMask events) {
  if (events == EventMask::All()) {
    return Hearing::kAll;
  }
  const bool lives = events.Has(EventKind::kFork) && events.Has(EventKind::kExec) && events.Has(EventKind::kExit);
  return lives ? Hearing::kLives : Hearing::kParts;
}

void AllowOpenFiles(const Log& log) {
  if (const std::optional<std::string> warning = RaiseOpenFiles()) {
    log.Say(LogLevel::kWarning, *warning);
  }
}

void SayReady(const Log& log, const ServerOptions& options) {
  std::string addresses;
  for (const std::string& address : options.listen_addresses) {
    addresses += (addresses.empty() ? "" : ", ") + address;
  }
  log.Say(LogLevel::kInfo, "serving " + options.telemetry_path + " on " + addresses);
}

std::optional<std::uint64_t> Earlier(std::optional<std::uint64_t> one, std::optional<std::uint64_t> other) {
  return one && other ? std::min(one, other) : one ? one : other;
}

int MillisUntil(std::optional<std::uint64_t> due_ns) {
  if (!due_ns) {
    return -1;
  }
  const std::uint64_t now = MonotonicNanos();
  const std::uint64_t millis = *due_ns > now ? (*due_ns - now) / kNanosPerMilli + 1 : 0;
  return static_cast<int>(std::min<std::uint64_t>(millis, std::numeric_limits<int>::max()));
}

// Prints notices and reports to the service manager until a signal comes that ends the process, and returns that one.
int TendUntilSignal(const Log& log, const Signals& signals, Notices& notices, ServiceReport& report) {
  NoticeLog notice_log([&log](LogLevel level, std::string_view text) { log.Say(level, text); });
  while (true) {
    notice_log.Print(notices, MonotonicNanos());
    report.Turn();
    std::array<pollfd, 2> wanted{pollfd{signals.fd(), POLLIN, 0}, pollfd{notices.fd(), POLLIN, 0}};
    ::poll(wanted.data(), wanted.size(), MillisUntil(Earlier(notice_log.NextDue(), report.NextDue())));
    const int signal = signals.Take();
    if (signal == SIGHUP) {
      log.Say(LogLevel::kInfo, "SIGHUP is ignored: the configuration is read at the start only; restart to read it");
    } else if (signal != 0) {
      return signal;
    }
  }
}

}  // namespace

int Serve(const Config& config) {
  OpenStandardDescriptors();
  const Signals signals;
  const Log log(config.log);
  try {
    Privilege privilege([&log](LogLevel level, std::string_view text) { log.Say(level, text); });
    AllowOpenFiles(log);
    Reader reader(std::make_unique<ConnectorSource>(config.connector), config.reader, PossibleCpus(),
                  HearingOf(config.connector.events), config.ledger);
    reader.Start([&privilege] { privilege.KeepForReader(); });
    privilege.KeepForListening();
    Server server(config.server, reader.exchange(), [&privilege] { privilege.KeepNothing(); });
    privilege.KeepNothing();
    SayReady(log, config.server);
    ServiceReport report(
        OwnServiceSettings(),
        [&reader](std::chrono::milliseconds patience) { return AskReadiness(reader.exchange(), patience); },
        [&log](std::string_view text) { log.Say(LogLevel::kWarning, text); });
    report.Ready();

    const int signal = TendUntilSignal(log, signals, reader.notices(), report);

    log.Say(LogLevel::kInfo, signal == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping");
    report.Stopping();
    server.Stop();
    reader.Stop();
    return 0;
  } catch (const std::exception& e) {
    log.Say(LogLevel::kError, e.what());
    return 1;
  }
}

}  // namespace procevent

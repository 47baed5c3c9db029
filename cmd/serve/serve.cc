#include "cmd/serve/serve.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cmd/cli/output.h"
#include "cmd/logging/log.h"
#include "cmd/logging/notice_log.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/reload.h"
#include "cmd/serve/service_notifier.h"
#include "cmd/serve/signals.h"
#include "core/base/fatal_error.h"
#include "core/base/system.h"
#include "core/reader/reader.h"
#include "core/reader/replayer.h"
#include "exporter/http/server.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

constexpr std::uint64_t kPrintAll = std::numeric_limits<std::uint64_t>::max();  // a time at which every summary is due

// Returns false if the limit is too low to serve, with an error in the log. A low limit is a warning.
bool RaiseOpenFilesLimitAndLog(const Log& log) {
  const std::optional<LowOpenFilesLimit> low = RaiseOpenFilesLimit();
  if (low) {
    log.Write(MakeLowLimitMessage(*low));
  }
  return !low || !low->too_low_to_serve;
}

void LogServing(const Log& log, const ServerOptions& options) {
  std::string addresses;
  for (const std::string& address : options.listen_addresses) {
    addresses += (addresses.empty() ? "" : ", ") + address;
  }
  log.Write({LogLevel::kInfo, "serving metrics", {{"addr", addresses}, {"path", options.telemetry_path}}});
}

std::optional<std::uint64_t> Earlier(std::optional<std::uint64_t> one, std::optional<std::uint64_t> other) {
  return one && other ? std::min(one, other) : one ? one : other;
}

// The main loop: prints notices and refusals, reports to the service manager, and reloads on SIGHUP. Returns SIGTERM or
// SIGINT when one arrives, and 0 when the producer's thread has failed.
int RunUntilSignal(const SignalReceiver& signals, NoticeLog& notices, RefusalLog& refusals,
                   ServiceStatusReporter& report, const std::function<void()>& reload) {
  while (!notices.thread_failed()) {
    notices.Print(MonotonicNanos());
    refusals.Print(MonotonicNanos());
    report.Update();
    std::array<pollfd, 3> wanted{pollfd{signals.fd(), POLLIN, 0}, pollfd{notices.fd(), POLLIN, 0},
                                 pollfd{refusals.fd(), POLLIN, 0}};
    const auto due = Earlier(Earlier(notices.NextDue(), refusals.NextDue()), report.NextDue());
    ::poll(wanted.data(), wanted.size(), due ? MillisUntil(*due, MonotonicNanos()) : -1);
    const int signal = signals.ReadSignal();
    if (signal == SIGHUP) {
      reload();
    } else if (signal != 0) {
      return signal;
    }
  }
  return 0;
}

// The reader or the replayer: the thread that answers snapshot requests.
struct SnapshotProducer {
  SnapshotExchange& exchange;
  NoticeQueue& notices;
  ConfigReloader::CountingReloader reload_counting;
  std::function<void()> start;
  std::function<void()> stop;
};

// Serves the producer's snapshots over HTTP until SIGTERM or SIGINT arrives. Returns false if the producer's thread has
// failed, with the cause in the log. The producer is started last: otherwise the reader would report the starts of the
// server's threads, more than a hundred, as a peak of fork events.
bool ServeSnapshots(const SnapshotProducer& producer, const Config& config, const std::function<LoadedConfig()>& load,
                    const SignalReceiver& signals, Log& log, PrivilegeDropper& privilege) {
  const LogFunction write_log = [&log](const LogMessage& message) { log.Write(message); };
  RefusalLog refusals(write_log);
  ExporterState state{ReloadStatus(SecondsSinceEpoch()),
                      RefusedRequests([&refusals](RefusalReason reason, std::string_view client) {
                        refusals.Enqueue(reason, client, MonotonicNanos());
                      })};
  Server server(config.server, producer.exchange, state, [&privilege] { privilege.DropAll(); });
  producer.start();
  privilege.DropAll();
  LogServing(log, config.server);
  ServiceStatusReporter report(
      LoadServiceSettings(write_log),
      [&producer](std::chrono::milliseconds timeout) { return RequestSubscriptionStatus(producer.exchange, timeout); },
      write_log);
  report.NotifyReady();

  ConfigReloader reloader(config, load, log, producer.reload_counting, state.reloads);
  NoticeLog notices(producer.notices, write_log);
  const int signal = RunUntilSignal(signals, notices, refusals, report, [&] {
    report.NotifyReloading();
    report.NotifyReady(reloader.Apply());
  });

  const bool failed = signal == 0;
  if (failed) {
    notices.Print(kPrintAll);  // first: what follows may fail for the same reason
  } else {
    log.Write({LogLevel::kInfo, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}}});
  }
  report.NotifyStopping();
  server.Stop();
  producer.stop();
  notices.Print(kPrintAll);
  refusals.Print(kPrintAll);
  return !failed && !notices.thread_failed();
}

template <typename Thread>
SnapshotProducer MakeSnapshotProducer(Thread& thread, std::function<void()> begin_thread) {
  return {thread.exchange(), thread.notices(), [&thread](const CountingOptions& options) { thread.Reload(options); },
          [&thread, begin_thread = std::move(begin_thread)] { thread.Start(begin_thread); },
          [&thread] { thread.Stop(); }};
}

void LogReplay(const Log& log, const ReplayOptions& options, const CaptureSummary& summary) {
  log.Write({LogLevel::kInfo,
             "replaying capture",
             {{"file", options.file},
              {"datagrams", summary.datagrams},
              {"skipped", summary.skipped_records},
              {"duration_s", (summary.last_ns - summary.first_ns) / kNanosPerSecond},
              {"speed", options.speed == 0 ? "max" : std::to_string(options.speed)},
              {"loop", options.loop}}});
}

bool ServeKernel(const Config& config, const std::function<LoadedConfig()>& load, const SignalReceiver& signals,
                 Log& log) {
  PrivilegeDropper privilege([&log](const LogMessage& message) { log.Write(message); });
  if (!RaiseOpenFilesLimitAndLog(log)) {
    return false;
  }
  Reader reader(MakeReaderSources(config.connector), config.reader, PossibleCpus(), CoverageOf(config.connector.events),
                config.counting);
  return ServeSnapshots(MakeSnapshotProducer(reader, [&privilege] { privilege.KeepForReader(); }), config, load,
                        signals, log, privilege);
}

// Opens the capture before the privilege is dropped. Nothing else in a replay needs privilege.
bool ServeReplay(const Config& config, const std::function<LoadedConfig()>& load, const SignalReceiver& signals,
                 Log& log) {
  StoredCapture capture = ValueOrThrow(StoredCapture::Open(config.replay.file));
  PrivilegeDropper privilege([&log](const LogMessage& message) { log.Write(message); }, ReaderCapabilities{});
  if (!RaiseOpenFilesLimitAndLog(log)) {
    return false;
  }
  Replayer replayer(std::move(capture), config.replay, config.counting);
  LogReplay(log, config.replay, replayer.summary());
  return ServeSnapshots(MakeSnapshotProducer(replayer, [&privilege] { privilege.DropAll(); }), config, load, signals,
                        log, privilege);
}

}  // namespace

int Serve(const Config& config, const std::function<LoadedConfig()>& load) {
  ReserveStandardDescriptors();
  const SignalReceiver signals;
  Log log(config.log);
  try {
    const bool stopped =
        config.replay.file.empty() ? ServeKernel(config, load, signals, log) : ServeReplay(config, load, signals, log);
    return stopped ? 0 : 1;
  } catch (const std::exception& e) {
    log.Write(MakeFatalMessage(e));
    return 1;
  }
}

}  // namespace procevent

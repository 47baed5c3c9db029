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
#include <span>
#include <string>
#include <string_view>

#include "cmd/cli/output.h"
#include "cmd/logging/log.h"
#include "cmd/logging/notice_log.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/reload.h"
#include "cmd/serve/service_notifier.h"
#include "cmd/serve/signals.h"
#include "config/yaml/config_error.h"
#include "core/base/system.h"
#include "core/reader/reader.h"
#include "core/reader/replayer.h"
#include "core/sources/connector/connector_source.h"
#include "exporter/http/server.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

constexpr std::uint64_t kEndOfTime = std::numeric_limits<std::uint64_t>::max();  // all is due

void AllowOpenFiles(const Log& log) {
  if (const std::optional<std::string> warning = RaiseOpenFilesLimit()) {
    log.Write(LogLevel::kWarning, *warning);
  }
}

void SayReady(const Log& log, const ServerOptions& options) {
  std::string addresses;
  for (const std::string& address : options.listen_addresses) {
    addresses += (addresses.empty() ? "" : ", ") + address;
  }
  log.Write(LogLevel::kInfo, "serving " + options.telemetry_path + " on " + addresses);
}

std::optional<std::uint64_t> Earlier(std::optional<std::uint64_t> one, std::optional<std::uint64_t> other) {
  return one && other ? std::min(one, other) : one ? one : other;
}

// Prints what there is to say, reports to the service manager and reloads, until a signal comes that ends the process;
// returns that.
int RunUntilSignal(const SignalReceiver& signals, NoticeLog& notices, RefusalLog& refusals,
                   ServiceStatusReporter& report, const std::function<void()>& reload) {
  while (true) {
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
}

// Whoever fills the snapshots: the reader, or a replay.
struct SnapshotProducer {
  SnapshotExchange& exchange;
  NoticeQueue& notices;
  NameGroupsSetter regroup;
  std::function<void()> stop;
};

// Serves what the stage says, until a signal comes.
void ServeSnapshots(const SnapshotProducer& stage, const Config& config, const std::function<LoadedConfig()>& reread,
                    const SignalReceiver& signals, Log& log, PrivilegeDropper& privilege) {
  const auto say = [&log](LogLevel level, std::string_view text) { log.Write(level, text); };
  privilege.KeepForListening();
  RefusalLog refusals(say);
  ExporterState own{ReloadStatus(SecondsSinceEpoch()),
                    RefusedRequests([&refusals](RefusalReason why, std::string_view client) {
                      refusals.Enqueue(why, client, MonotonicNanos());
                    })};
  Server server(config.server, stage.exchange, own, [&privilege] { privilege.DropAll(); });
  privilege.DropAll();
  SayReady(log, config.server);
  const ServiceNotifier::WarnFunction warn = [&say](std::string_view text) { say(LogLevel::kWarning, text); };
  ServiceStatusReporter report(
      LoadServiceSettings(warn),
      [&stage](std::chrono::milliseconds patience) { return RequestSubscriptionStatus(stage.exchange, patience); },
      warn);
  report.NotifyReady();

  ConfigReloader reloader(config, reread, log, stage.regroup, own.reloads);
  NoticeLog notices(stage.notices, say);
  const int signal = RunUntilSignal(signals, notices, refusals, report, [&] {
    report.NotifyReloading();
    report.NotifyReady(reloader.Apply());
  });

  log.Write(LogLevel::kInfo, signal == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping");
  report.NotifyStopping();
  server.Stop();
  stage.stop();
  notices.Print(kEndOfTime);
  refusals.Print(kEndOfTime);
}

template <typename Filler>
SnapshotProducer MakeSnapshotProducer(Filler& filler) {
  return {filler.exchange(), filler.notices(), [&filler](std::span<const NameGroup> groups) { filler.SetNameGroups(groups); },
          [&filler] { filler.Stop(); }};
}

void SayReplay(const Log& log, const ReplayOptions& options, const CaptureSummary& summary) {
  constexpr std::size_t kMostNameBytes = 256;
  const std::string speed =
      options.speed == 0 ? "as fast as possible" : std::to_string(options.speed) + " times as fast";
  log.Write(LogLevel::kInfo,
            "replaying " + EscapeUnprintable(options.file, kMostNameBytes) + ", " + std::to_string(summary.datagrams) +
                " datagrams of " + std::to_string((summary.last_ns - summary.first_ns) / kNanosPerSecond) + " s, " +
                (options.speed == 1 ? "as recorded" : speed) + (options.loop ? ", again and again" : ""));
}

void ServeMachine(const Config& config, const std::function<LoadedConfig()>& reread, const SignalReceiver& signals,
                  Log& log) {
  PrivilegeDropper privilege([&log](LogLevel level, std::string_view text) { log.Write(level, text); });
  AllowOpenFiles(log);
  Reader reader(std::make_unique<ConnectorSource>(config.connector), config.reader, PossibleCpus(),
                CoverageOf(config.connector.events), config.ledger);
  reader.Start([&privilege] { privilege.KeepForReader(); });
  ServeSnapshots(MakeSnapshotProducer(reader), config, reread, signals, log, privilege);
}

// The capture is opened with the privilege that there is; nothing else of it needs any.
void ServeReplay(const Config& config, const std::function<LoadedConfig()>& reread, const SignalReceiver& signals,
                 Log& log) {
  StoredCapture capture(config.replay.file);
  PrivilegeDropper privilege([&log](LogLevel level, std::string_view text) { log.Write(level, text); },
                             ReaderCapabilities{});
  AllowOpenFiles(log);
  Replayer replayer(std::move(capture), config.replay, config.ledger);
  SayReplay(log, config.replay, replayer.summary());
  replayer.Start([&privilege] { privilege.DropAll(); });
  ServeSnapshots(MakeSnapshotProducer(replayer), config, reread, signals, log, privilege);
}

}  // namespace

int Serve(const Config& config, const std::function<LoadedConfig()>& reread) {
  ReserveStandardDescriptors();
  const SignalReceiver signals;
  Log log(config.log);
  try {
    if (config.replay.file.empty()) {
      ServeMachine(config, reread, signals, log);
    } else {
      ServeReplay(config, reread, signals, log);
    }
    return 0;
  } catch (const std::exception& e) {
    log.Write(LogLevel::kError, DescribeFatal(e));
    return 1;
  }
}

}  // namespace procevent

#include "cmd/doctor/probes.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <fstream>
#include <future>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "cmd/logging/log.h"
#include "cmd/serve/privilege.h"
#include "cmd/serve/signals.h"
#include "core/base/result.h"
#include "core/base/system.h"
#include "core/protocol/decoder.h"
#include "core/reader/reader.h"
#include "core/sources/connector/connector_source.h"
#include "core/sources/connector/proc_connector.h"
#include "core/sources/procfs/proc_reader.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/http/server_resources.h"

namespace procevent {

namespace {

constexpr std::chrono::milliseconds kPatience{2000};

void Hear(const DatagramBatch& batch, ExpectedChildEvents& story) {
  Message message;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].origin != Datagram::Origin::kKernel) {
      continue;
    }
    Decoder decoder(batch[i].bytes);
    while (decoder.Next(message)) {
      if (message.outcome == DecodeOutcome::kEvent) {
        story.RecordEvent(message.event);
      }
    }
  }
}

Status Listen(ProcConnector& connector, ExpectedChildEvents& story) {
  DatagramBatch batch;
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(kPatience.count()) * kNanosPerMilli;
  while (!story.missing().empty() && MonotonicNanos() < deadline) {
    if (const auto received = connector.Receive(batch, std::chrono::milliseconds(100)); !received) {
      return received.error();
    }
    Hear(batch, story);
  }
  return Success{};
}

void HearAChild(ProcConnector& connector, EventMask mask, SubscriptionProbe& probe) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "pe-doctor-child");
    ::_exit(ExpectedChildEvents::kStatus);
  }
  if (child < 0) {
    probe.forked = Error{"fork a child", errno, "raise the limit of processes (ulimit -u, or the cgroup's pids.max)"};
    return;
  }
  ExpectedChildEvents story(child, mask);
  probe.forked = Listen(connector, story);
  probe.heard = story.received();
  probe.not_heard = story.missing();
  ::waitpid(child, nullptr, 0);
}

}  // namespace

ExpectedChildEvents::ExpectedChildEvents(pid_t child, EventMask mask) : child_(child) {
  for (const EventKind kind : {EventKind::kFork, EventKind::kComm, EventKind::kExit}) {
    if (mask.With(EventKind::kComm).Has(kind)) {
      missing_.push_back(kind);
    }
  }
}

void ExpectedChildEvents::RecordEvent(const Event& event) {
  const auto awaited = std::ranges::find(missing_, event.kind());
  if (awaited != missing_.end() && IsOfChild(event)) {
    missing_.erase(awaited);
    heard_.push_back(event.kind());
  }
}

bool ExpectedChildEvents::IsOfChild(const Event& event) const {
  if (const auto* const fork = std::get_if<ForkBody>(&event.body)) {
    return fork->child.pid == child_;
  }
  if (const auto* const comm = std::get_if<CommBody>(&event.body)) {
    return comm->task.pid == child_;
  }
  const auto* const exit = std::get_if<ExitBody>(&event.body);
  return exit != nullptr && exit->task.pid == child_ && exit->wait_status == static_cast<unsigned>(kStatus) << 8U;
}

SubscriptionProbe ProbeSubscription(const ConnectorOptions& options) {
  SubscriptionProbe probe;
  auto opened = ProcConnector::Open(options);
  if (!opened) {
    probe.opened = opened.error();
    return probe;
  }
  ProcConnector connector = std::move(opened).value();
  probe.buffer_bytes = connector.Memory().limit_bytes / 2;  // the kernel doubles what is asked for
  // Who is interrupted while it listens would leave the kernel with a listener too many.
  const sigset_t blocked = BlockSignals();
  probe.acknowledged = connector.Subscribe(kPatience);
  if (probe.acknowledged) {
    HearAChild(connector, options.events, probe);
  }
  connector.Unsubscribe();
  RestoreSignals(blocked);
  return probe;
}

namespace {

std::string KernelRelease() {
  utsname names{};
  ::uname(&names);
  return &names.release[0];
}

std::optional<std::uint64_t> ReadNumber(const char* path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

Status WithoutValue(const Result<std::uint64_t>& result) { return result ? Status(Success{}) : result.error(); }

void ProbeAddresses(const ServerOptions& options, ProbeResults& probes) {
  for (const std::string& address : options.listen_addresses) {
    probes.addresses += (probes.addresses.empty() ? "" : ", ") + address;
  }
  try {
    ParseAvailableAddresses(options.listen_addresses);
  } catch (const std::exception& fault) {
    probes.address_fault = fault.what();
  }
}

// All at once, as Serve makes it: what events are booked in, the thread that reads, and those that serve, with what
// civetweb has for their connections.
void ProbeStart(const Config& config, ProbeResults& probes) {
  try {
    const Reader reader(std::make_unique<ConnectorSource>(config.connector), config.reader, PossibleCpus(),
                        EventCoverage::kAll, config.ledger);
    constexpr std::size_t kForConnections = 2U << 20U;
    const std::vector<char> connections(kForConnections);
    probes.threads = std::async(std::launch::async, CheckServingThreads).get();
  } catch (const std::system_error& fault) {
    probes.threads = Error{"start the reader thread", fault.code().value(), kThreadsRemedy};
  } catch (const std::exception& fault) {
    probes.start_fault = DescribeFatal(fault);
    probes.threads = CheckServingThreads();
  }
}

}  // namespace

ProbeResults ProbeMachine(const Config& config) {
  constexpr std::uint32_t kMostBuffer = std::numeric_limits<int>::max() / 2;  // the kernel ends at what an int holds
  ProbeResults probes;
  probes.few_files = RaiseOpenFilesLimit();
  probes.too_few_files = IsOpenFilesLimitTooLow();
  probes.kernel_release = KernelRelease();
  const auto own = GetThreadCapabilities();
  probes.net_admin = own && (own.value().effective & CapabilityBit(CAP_NET_ADMIN)) != 0;
  probes.proc_mounted = ::access("/proc/self/stat", F_OK) == 0;
  probes.around = DetectConnectorEnvironment();
  probes.buffer_wanted = std::min(config.connector.receive_buffer_bytes, kMostBuffer);
  probes.buffer_sysctl = ReadNumber("/proc/sys/net/core/rmem_max");
  probes.subscription = ProbeSubscription(config.connector);
  probes.processes = ProcPidReader().CheckVisibility();
  probes.forks = WithoutValue(ProcStatReader().ReadCloneCount());
  ProbeStart(config, probes);
  ProbeAddresses(config.server, probes);
  return probes;
}

}  // namespace procevent

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
#include <fstream>
#include <future>
#include <limits>
#include <memory>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "cmd/serve/privilege.h"
#include "cmd/serve/signals.h"
#include "core/base/fatal_error.h"
#include "core/base/result.h"
#include "core/base/system.h"
#include "core/base/thread.h"
#include "core/reader/reader.h"
#include "core/sources/connector/proc_connector.h"
#include "core/sources/procfs/proc_reader.h"
#include "core/sources/procfs/proc_stats.h"
#include "exporter/http/server_resources.h"

namespace procevent {

namespace {

constexpr std::chrono::milliseconds kTimeout{2000};  // for the ACK, and for the events of the child

Status ReceiveChildEvents(ProcConnector& connector, ExpectedChildEvents& expected) {
  DatagramBatch batch;
  const std::uint64_t deadline = MonotonicNanos() + static_cast<std::uint64_t>(kTimeout.count()) * kNanosPerMilli;
  while (!expected.missing().empty() && MonotonicNanos() < deadline) {
    if (const auto received = connector.Receive(batch, std::chrono::milliseconds(100)); !received) {
      return received.error();
    }
    ForEachKernelEvent(batch, [&expected](const Event& event) { expected.RecordEvent(event); });
  }
  return Success{};
}

void ProbeChildEvents(ProcConnector& connector, EventMask mask, SubscriptionProbe& probe) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "pe-doctor-child");
    ::_exit(ExpectedChildEvents::kExitStatus);
  }
  if (child < 0) {
    probe.child_probed =
        Error{"fork a child", errno, "raise the limit of processes (ulimit -u, or the cgroup's pids.max)"};
    return;
  }
  ExpectedChildEvents expected(child, mask);
  probe.child_probed = ReceiveChildEvents(connector, expected);
  probe.received = expected.received();
  probe.missing = expected.missing();
  ::waitpid(child, nullptr, 0);
}

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

template <typename T>
Status ToStatus(const Result<T>& result) {
  return result ? Status(Success{}) : result.error();
}

void ProbeAddresses(const ServerOptions& options, ProbeResults& probes) {
  for (const std::string& address : options.listen_addresses) {
    probes.addresses += (probes.addresses.empty() ? "" : ", ") + address;
  }
  probes.addresses_available = ToStatus(ParseAvailableAddresses(options.listen_addresses));
}

// Allocates at the same time everything that Serve allocates: the process table, the statistics, the reader thread, the
// server threads, and civetweb's memory for their connections. Each alone may fit where all together do not.
void ProbeStart(const Config& config, ProbeResults& probes) {
  try {
    const Reader reader(MakeReaderSources(config.connector), config.reader, PossibleCpus(), EventCoverage::kAll,
                        config.counting);
    constexpr std::size_t kConnectionBytes = 2U << 20U;
    const std::vector<char> connection_memory(kConnectionBytes);
    probes.threads = std::async(std::launch::async, CheckServingThreads).get();
  } catch (const std::system_error& e) {
    probes.threads = Error{"start the reader thread", e.code().value(), kThreadsRemedy};
  } catch (const FatalError& e) {
    probes.started = e.error();
    probes.threads = CheckServingThreads();
  } catch (const std::bad_alloc&) {
    probes.started = Error(kOutOfMemory);
    probes.threads = CheckServingThreads();
  } catch (const std::exception& e) {
    probes.started = Error{"start", "an unexpected exception", "report it as a bug", {}, e.what()};
  }
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
  const auto expected = std::ranges::find(missing_, event.kind());
  if (expected != missing_.end() && IsOfChild(event)) {
    missing_.erase(expected);
    received_.push_back(event.kind());
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
  return exit != nullptr && exit->task.pid == child_ && exit->wait_status == static_cast<unsigned>(kExitStatus) << 8U;
}

SubscriptionProbe ProbeSubscription(const ConnectorOptions& options) {
  SubscriptionProbe probe;
  auto opened = ProcConnector::Open(options);
  if (!opened) {
    probe.opened = opened.error();
    return probe;
  }
  ProcConnector connector = std::move(opened).value();
  probe.buffer_bytes = connector.Memory().limit_bytes / 2;  // the kernel doubles the requested size
  // A process that a signal ends while subscribed leaves the kernel's listener count one too high.
  const sigset_t previous_mask = BlockSignals();
  probe.acknowledged = connector.Subscribe(kTimeout);
  probe.clock_offset_ns = connector.clock_offset_ns();
  if (probe.acknowledged) {
    ProbeChildEvents(connector, options.events, probe);
  }
  connector.Unsubscribe();
  RestoreSignals(previous_mask);
  return probe;
}

ProbeResults ProbeMachine(const Config& config) {
  // The kernel stores twice the size in an int.
  constexpr std::uint32_t kMaxBufferBytes = std::numeric_limits<int>::max() / 2;
  ProbeResults probes;
  probes.low_open_files_limit = RaiseOpenFilesLimit();
  probes.kernel_release = KernelRelease();
  const auto capabilities = GetThreadCapabilities();
  probes.has_net_admin = capabilities && (capabilities.value().effective & CapabilityBit(CAP_NET_ADMIN)) != 0;
  probes.proc_mounted = ::access("/proc/self/stat", F_OK) == 0;
  probes.environment = DetectConnectorEnvironment();
  probes.requested_buffer_bytes = std::min(config.connector.receive_buffer_bytes, kMaxBufferBytes);
  probes.rmem_max = ReadNumber("/proc/sys/net/core/rmem_max");
  probes.subscription = ProbeSubscription(config.connector);
  probes.proc_visibility = ProcPidReader().CheckVisibility();
  probes.clone_count = ToStatus(ProcStatReader().ReadCloneCount());
  ProbeStart(config, probes);
  ProbeAddresses(config.server, probes);
  return probes;
}

}  // namespace procevent

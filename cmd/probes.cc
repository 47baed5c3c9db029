#include "cmd/probes.h"

#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <fstream>
#include <future>
#include <limits>
#include <memory>
#include <system_error>
#include <vector>

#include "cmd/capabilities.h"
#include "cmd/open_files.h"
#include "cmd/why_ended.h"
#include "core/base/cpus.h"
#include "core/base/remedies.h"
#include "core/reader/reader.h"
#include "core/source/connector_source.h"
#include "core/source/proc_pids.h"
#include "core/source/proc_stat.h"
#include "exporter/free_address.h"
#include "exporter/serving_threads.h"

namespace procevent {
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

void ProbeAddresses(const ServerOptions& options, Probes& probes) {
  for (const std::string& address : options.listen_addresses) {
    probes.addresses += (probes.addresses.empty() ? "" : ", ") + address;
  }
  try {
    FreeAddresses(options.listen_addresses);
  } catch (const std::exception& fault) {
    probes.address_fault = fault.what();
  }
}

// All at once, as Serve makes it: what events are booked in, the thread that reads, and those that serve, with what
// civetweb has for their connections.
void ProbeStart(const Config& config, Probes& probes) {
  try {
    const Reader reader(std::make_unique<ConnectorSource>(config.connector), config.reader, PossibleCpus(),
                        Hearing::kAll, config.ledger);
    constexpr std::size_t kForConnections = 2U << 20U;
    const std::vector<char> connections(kForConnections);
    probes.threads = std::async(std::launch::async, TryServingThreads).get();
  } catch (const std::system_error& fault) {
    probes.threads = Error{"start the reader thread", fault.code().value(), kThreadsRemedy};
  } catch (const std::exception& fault) {
    probes.start_fault = WhyEnded(fault);
    probes.threads = TryServingThreads();
  }
}

}  // namespace

Probes ProbeMachine(const Config& config) {
  constexpr std::uint32_t kMostBuffer = std::numeric_limits<int>::max() / 2;  // the kernel ends at what an int holds
  Probes probes;
  probes.few_files = RaiseOpenFiles();
  probes.too_few_files = TooFewOpenFiles();
  probes.kernel_release = KernelRelease();
  const auto own = OwnCapabilities();
  probes.net_admin = own && (own.value().effective & CapabilityBit(CAP_NET_ADMIN)) != 0;
  probes.proc_mounted = ::access("/proc/self/stat", F_OK) == 0;
  probes.around = LookAround();
  probes.buffer_wanted = std::min(config.connector.receive_buffer_bytes, kMostBuffer);
  probes.buffer_sysctl = ReadNumber("/proc/sys/net/core/rmem_max");
  probes.subscription = ProbeSubscription(config.connector);
  probes.processes = ProcPids().Check();
  probes.forks = WithoutValue(ProcStat().Forks());
  ProbeStart(config, probes);
  ProbeAddresses(config.server, probes);
  return probes;
}

}  // namespace procevent

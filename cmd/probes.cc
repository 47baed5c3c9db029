#include "cmd/probes.h"

#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>

#include "cmd/capabilities.h"
#include "cmd/open_files.h"
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

}  // namespace

Probes ProbeMachine(const Config& config) {
  constexpr std::uint32_t kMostBuffer = std::numeric_limits<int>::max() / 2;  // the kernel ends at what an int holds
  Probes probes;
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
  probes.threads = TryServingThreads();
  probes.few_files = RaiseOpenFiles();
  ProbeAddresses(config.server, probes);
  return probes;
}

}  // namespace procevent

#include "tests/core/reference/simulated_host.h"

#include <algorithm>
#include <array>

namespace procevent {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;
constexpr std::uint32_t kUnknownType = 1U << 20U;  // encoded for an unknown body only

std::vector<std::string> MakeNames(std::size_t count) {
  std::vector<std::string> names;
  for (const char* unusual :
       {"", "sh", "kworker/3:1H-ev", "kworker/0:0", "caf\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", "two\nlines",
        "\x01\x02\x7f", "bad\xff\xfe", "fifteen bytes!!", "[untracked proc", "{a=\"b\",c=\\}", " "}) {
    names.emplace_back(unusual);
  }
  for (std::size_t i = 0; names.size() < count; ++i) {
    names.push_back("program-" + std::to_string(i));
  }
  names.resize(count);
  return names;
}

}  // namespace

std::array<char, kCommSize> SimulatedHost::CommOf(const std::string& name) {
  std::array<char, kCommSize> comm{};
  std::ranges::copy(name.substr(0, kCommSize - 1), comm.begin());
  return comm;
}

SimulatedHost::SimulatedHost(const SimulatedHostOptions& options)
    : options_(options), random_(options.seed), names_(MakeNames(options.names)), sequences_(options.cpus) {
  for (std::uint32_t& sequence : sequences_) {
    sequence = UINT32_MAX - static_cast<std::uint32_t>(Random(1000));  // so that they wrap around
  }
  for (std::size_t i = 0; i < 1 + options_.processes / 2; ++i) {
    Process process;
    process.tgid = i == 0 ? kInit : NewPid();
    process.parent = kInit;
    process.serial = ++last_serial_;
    process.name = i == 0 ? "init" : NewName();
    process.running = process.visible = {process.tgid};
    process.start_ns = now_ns_ - Random(50'000 * kMilli);
    used_.insert(process.tgid);
    tgids_.push_back(process.tgid);
    processes_[process.tgid] = process;
  }
}

// Usually short, sometimes up to the maximum.
std::uint64_t SimulatedHost::EventDelay() {
  return Random(Chance(0.1) ? options_.max_delay_ns + 1 : options_.max_delay_ns / 20 + 1);
}

std::string SimulatedHost::NewName() {
  return names_.empty() ? "n" + std::to_string(++names_made_) : names_[Random(1 + Random(names_.size()))];
}

std::int32_t SimulatedHost::NewPid() {
  for (std::int32_t tries = 0; tries < options_.pids; ++tries) {
    last_pid_ = last_pid_ < options_.pids ? last_pid_ + 1 : 2;
    if (used_.insert(last_pid_).second) {
      return last_pid_;
    }
  }
  return 0;
}

// Returns a process other than init that is not in the middle of an action.
SimulatedHost::Process* SimulatedHost::AnyIdleProcess() {
  while (!tgids_.empty()) {
    std::int32_t& chosen = tgids_[Random(tgids_.size())];
    const auto process = processes_.find(chosen);
    if (process == processes_.end()) {
      chosen = tgids_.back();
      tgids_.pop_back();
      continue;
    }
    return process->second.busy || process->second.running.empty() ? nullptr : &process->second;
  }
  return nullptr;
}

Task SimulatedHost::AnyThread(const Process& process) {
  auto pid = process.running.begin();
  std::advance(pid, Random(process.running.size()));
  return {*pid, process.tgid};
}

void SimulatedHost::Emit(std::uint32_t cpu, Event::Body body) {
  Event event;
  event.cpu = cpu;
  event.sequence = ++sequences_[cpu];
  event.timestamp_ns = now_ns_;
  event.body = body;
  event.what = kUnknownType;
  ++generated_;
  const bool lost = lose_next_ > 0 || (loss_probability_ > 0 && Chance(loss_probability_));
  lose_next_ -= lose_next_ > 0 ? 1 : 0;
  if (lost) {
    ++lost_;
    hidden_loss_cpus_.insert(cpu);
  } else {
    hidden_loss_cpus_.erase(cpu);
    delivered_.push_back(event);
  }
}

void SimulatedHost::Emit(Process& process, Event::Body body) {
  if (Chance(options_.migration_probability)) {
    process.cpu = static_cast<std::uint32_t>(Random(options_.cpus));
  }
  Emit(process.cpu, body);
}

void SimulatedHost::SendCanaries() {
  for (std::uint32_t cpu = 0; cpu < options_.cpus; ++cpu) {
    Emit(cpu, CommBody{{options_.pids + 2, options_.pids + 1}, CommOf("canary")});
  }
}

void SimulatedHost::Schedule(Process& process, std::uint64_t nanos, Continuation then) {
  scheduled_.emplace(now_ns_ + nanos, [this, tgid = process.tgid, serial = process.serial, then = std::move(then)] {
    const auto found = processes_.find(tgid);
    if (found != processes_.end() && found->second.serial == serial) {
      then(found->second);
    }
  });
}

void SimulatedHost::AdvanceTo(std::uint64_t when_ns) {
  while (!scheduled_.empty() && scheduled_.begin()->first <= when_ns) {
    now_ns_ = std::max(now_ns_, scheduled_.begin()->first);
    const auto act = std::move(scheduled_.begin()->second);
    scheduled_.erase(scheduled_.begin());
    act();
  }
  now_ns_ = when_ns;
}

void SimulatedHost::AdvanceTime(std::uint64_t nanos) { AdvanceTo(now_ns_ + nanos); }

void SimulatedHost::Step() {
  AdvanceTo(now_ns_ + Random(2 * options_.mean_gap_ns) + 1);
  if (Process* process = AnyIdleProcess()) {
    ActRandomly(*process);
  }
}

std::vector<std::int32_t> SimulatedHost::ListProcesses() const {
  std::vector<std::int32_t> tgids;
  for (const auto& [tgid, process] : processes_) {
    tgids.push_back(tgid);
  }
  return tgids;
}

std::optional<ProcSnapshot> SimulatedHost::ReadProc(std::int32_t tgid) const {
  const auto found = processes_.find(tgid);
  if (found == processes_.end()) {
    return std::nullopt;
  }
  const Process& process = found->second;
  return ProcSnapshot{.tgid = tgid,
                      .taken_ns = now_ns_,
                      .name = CommName(process.name),
                      .threads = static_cast<std::uint32_t>(process.visible.size()),
                      .leader_gone = !process.visible.contains(tgid),
                      .dead = process.visible.empty(),
                      .may_be_in_exec = process.busy && process.serial % 2 == 0,
                      .start_ns = process.start_ns - process.start_ns % (10 * kMilli),
                      .euid = process.euid,
                      .egid = process.egid};
}

bool SimulatedHost::HadName(std::uint32_t cpu, std::uint32_t sequence, const std::string& name, Until until) const {
  const auto found = image_of_.find({cpu, sequence});
  std::size_t image = found != image_of_.end() ? found->second : 0;
  while (image != 0) {
    if (images_[image].names.contains(name)) {
      return true;
    }
    image = until == Until::kEnd ? images_[image].next : 0;
  }
  return false;
}

}  // namespace procevent

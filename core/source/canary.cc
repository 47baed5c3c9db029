#include "core/source/canary.h"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "core/base/clock.h"

namespace procevent {
namespace {

// A set wide enough for any machine: glibc's own ends at 1024 CPUs.
class CpuSet {
 public:
  [[nodiscard]] bool ReadOwn() { return ::sched_getaffinity(0, bytes(), sets_.data()) == 0; }
  void Apply() const { ::sched_setaffinity(0, bytes(), sets_.data()); }
  void Set(std::size_t cpu) { CPU_SET_S(cpu, bytes(), sets_.data()); }
  [[nodiscard]] bool Has(std::size_t cpu) const { return CPU_ISSET_S(cpu, bytes(), sets_.data()); }
  [[nodiscard]] std::size_t size() const { return bytes() * 8; }
  [[nodiscard]] bool CoversAll() const { return CPU_COUNT_S(bytes(), sets_.data()) >= ::sysconf(_SC_NPROCESSORS_ONLN); }
  static CpuSet Every() {
    CpuSet every;
    for (std::size_t cpu = 0; cpu < every.size(); ++cpu) {
      every.Set(cpu);
    }
    return every;
  }

 private:
  [[nodiscard]] std::size_t bytes() const { return sets_.size() * sizeof(cpu_set_t); }
  std::array<cpu_set_t, 8> sets_{};
};

}  // namespace

void Canary::Sound() {
  thread_ = ::gettid();
  std::array<char, kCommSize> name{};
  ::prctl(PR_GET_NAME, name.data());
  ::prctl(PR_SET_NAME, name.data());
}

bool Canary::Tour(std::uint64_t deadline_ns) {
  CpuSet own;
  if (!own.ReadOwn()) {
    Sound();
    return true;
  }
  for (; next_cpu_ < own.size(); ++next_cpu_) {
    if (!own.Has(next_cpu_)) {
      continue;
    }
    if (MonotonicNanos() >= deadline_ns) {
      break;
    }
    CpuSet one;
    one.Set(next_cpu_);
    one.Apply();
    Sound();
  }
  // The kernel names only the CPUs that are there now: a thread that may use them all may use those to come, too.
  own.CoversAll() ? CpuSet::Every().Apply() : own.Apply();
  const bool done = next_cpu_ == own.size();
  next_cpu_ = done ? 0 : next_cpu_;
  return done;
}

}  // namespace procevent

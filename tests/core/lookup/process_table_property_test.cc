// The table held against a made-up machine of which everything is known: the events that it made, and its /proc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/lookup/process_table.h"
#include "tests/core/lookup/fake_proc.h"

namespace procevent {
namespace {

constexpr std::int32_t kPids = 400;
constexpr std::size_t kMostAlive = 40;
constexpr std::uint64_t kApart = 300 * kNanosPerMilli;  // from a start to the next one of that number
constexpr std::uint64_t kForever = UINT64_MAX;

// One process from its start to its end, and what it was from when on.
struct ProcessHistory {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = kForever;
  std::int32_t parent = 0;
  unsigned threads = 1;
  bool first_gone = false;
  std::map<std::uint64_t, std::string> names;
  std::map<std::uint64_t, std::uint32_t> users;
};

// At some moment from `from_ns` on; one that had ended by then remains what it was at its end.
template <typename T>
bool WasFrom(const std::map<std::uint64_t, T>& history, std::uint64_t from_ns, const T& value) {
  auto at = history.upper_bound(from_ns);
  at = at == history.begin() ? at : std::prev(at);
  return std::any_of(at, history.end(), [&](const auto& entry) { return entry.second == value; });
}

class ProcessSimulator {
 public:
  explicit ProcessSimulator(std::uint32_t seed) : random_(seed) {
    Live(kFakePids, {.start_ns = MonotonicNanos(), .names = {{0, "first"}}, .users = {{0, 0}}});
  }

  // Something happens: /proc shows it, and then there is an event.
  void Act() {
    const std::int32_t pid = alive_[Any(alive_.size())];
    switch (Any(10)) {
      case 0:
        return Rename(pid);
      case 1:
        return SetUser(pid);
      case 2:
        return StartThread(pid);
      case 3:
        return EndThread(pid);
      case 4:
      case 5:
        return Exec(pid);
      case 6:
        return End(pid);
      default:
        return alive_.size() < kMostAlive ? Fork(pid) : End(pid);
    }
  }
  std::size_t Any(std::size_t below) { return random_() % below; }

  // Whoever had this number, one after the other.
  [[nodiscard]] const std::vector<ProcessHistory>& LivesOf(std::int32_t pid) const { return lives_.at(pid); }
  [[nodiscard]] const std::map<std::int32_t, std::vector<ProcessHistory>>& lives() const { return lives_; }

  FakeProc proc;
  std::deque<std::optional<Event>> queue;  // nothing: here events were lost

 private:
  ProcessHistory& Of(std::int32_t pid) { return lives_.at(pid).back(); }
  std::string FreshName() { return "n" + std::to_string(++names_); }
  void Tell(const Event::Body& body) { queue.emplace_back(Now(body)); }

  void Show(std::int32_t pid) {
    const ProcessHistory& life = Of(pid);
    proc.Show(pid, {.name = life.names.rbegin()->second,
                    .start_ns = life.start_ns,
                    .user = life.users.rbegin()->second,
                    .parent = life.parent,
                    .state = life.first_gone ? 'Z' : 'S',
                    .threads = life.threads + (life.first_gone ? 1 : 0)});
  }
  void Live(std::int32_t pid, ProcessHistory life) {
    lives_[pid].push_back(std::move(life));
    alive_.push_back(pid);
    Show(pid);
  }

  [[nodiscard]] bool IsFree(std::int32_t pid) const {
    const auto found = lives_.find(pid);
    return found == lives_.end() ||
           (found->second.back().end_ns != kForever && found->second.back().start_ns + kApart < MonotonicNanos());
  }
  void Fork(std::int32_t parent) {
    do {
      next_ = next_ % kPids + 1;
    } while (!IsFree(kFakePids + next_));
    const std::int32_t pid = kFakePids + next_;
    const std::uint64_t now = MonotonicNanos();
    Live(pid, {.start_ns = now,
               .parent = parent,
               .names = {{now, Of(parent).names.rbegin()->second}},
               .users = {{now, Of(parent).users.rbegin()->second}}});
    Tell(ForkBody{First(parent), First(pid)});
  }
  void Exec(std::int32_t pid) {
    Of(pid).names[MonotonicNanos()] = FreshName();
    Of(pid).threads = 1;
    Show(pid);
    Tell(ExecBody{First(pid)});
  }
  void Rename(std::int32_t pid) {
    const std::string name = FreshName();
    Of(pid).names[MonotonicNanos()] = name;
    Show(pid);
    Tell(Renamed(First(pid), name));
  }
  void SetUser(std::int32_t pid) {
    const std::uint32_t user = ++users_;
    Of(pid).users[MonotonicNanos()] = user;
    Show(pid);
    Tell(UidBody{First(pid), user + 1'000'000, user});
  }
  void StartThread(std::int32_t pid) {
    ++Of(pid).threads;
    Show(pid);
    Tell(ForkBody{First(Of(pid).parent), {-1, pid}});
  }
  void EndThread(std::int32_t pid) {
    if (Of(pid).threads > 1) {
      --Of(pid).threads;
      Show(pid);
      Tell(Ended({-1, pid}));
    }
  }
  // All threads, in any order. Sometimes nobody waits for it, and it remains as a zombie. The very first never ends.
  void End(std::int32_t pid) {
    ProcessHistory& life = Of(pid);
    while (pid != kFakePids && life.threads > 0) {
      const bool first = !life.first_gone && Any(life.threads) == 0;
      life.first_gone = life.first_gone || first;
      --life.threads;
      if (life.threads == 0) {
        life.end_ns = MonotonicNanos();
        std::erase(alive_, pid);
      }
      Show(pid);
      if (life.threads == 0 && Any(2) == 0) {
        proc.Hide(pid);
      }
      Tell(Ended({first ? pid : -1, pid}));
    }
  }

  std::mt19937 random_;
  std::map<std::int32_t, std::vector<ProcessHistory>> lives_;
  std::vector<std::int32_t> alive_;
  std::int32_t next_ = 0;
  std::uint64_t names_ = 0;
  std::uint32_t users_ = 0;
};

std::string NameOf(const Process& process) { return std::string(process.command->view()); }

// By when it started, however long its FORK was held up.
bool IsOf(const Process& process, const ProcessHistory& life) {
  return process.start_ns == 0 || (process.start_ns + kApart > life.start_ns && process.start_ns < life.end_ns);
}

// Never a guess: it was called so and ran as this user, when the last event was made or later.
void ExpectTrue(const Process& process, const ProcessSimulator& world, std::uint64_t when_ns) {
  const auto& lives = world.LivesOf(process.pid);
  ASSERT_TRUE(std::ranges::any_of(lives,
                                  [&](const ProcessHistory& life) {
                                    return IsOf(process, life) &&
                                           (!process.command || WasFrom(life.names, when_ns, NameOf(process))) &&
                                           (!process.user || WasFrom(life.users, when_ns, *process.user));
                                  }))
      << process.pid << " " << (process.command ? NameOf(process) : "?") << " of " << process.user.value_or(0);
}

void ExpectNow(const Process& process, const ProcessHistory& life) {
  ASSERT_EQ(process.alive, life.end_ns == kForever) << process.pid;
  ASSERT_TRUE(IsOf(process, life)) << process.pid;
  ASSERT_EQ(process.parent, life.parent) << process.pid;
  ASSERT_TRUE(process.command && process.user) << process.pid;
  ASSERT_EQ(NameOf(process), life.names.rbegin()->second) << process.pid;
  ASSERT_EQ(*process.user, life.users.rbegin()->second) << process.pid;
}

class ProcessTablePropertyTest : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, ProcessTablePropertyTest, testing::Range(1U, 4U));

TEST_P(ProcessTablePropertyTest, WithoutDelayItKnowsEverything) {
  ProcessSimulator world(GetParam());
  ProcessTable table({.limit = 100'000, .proc = world.proc.path()});
  ASSERT_TRUE(table.Bootstrap().ok());
  for (int i = 1; i <= 1'500; ++i) {
    world.Act();
    for (; !world.queue.empty(); world.queue.pop_front()) {
      table.Apply(*world.queue.front());
    }
    for (const auto& [pid, lives] : world.lives()) {
      const auto process = table.Find(pid);
      ASSERT_TRUE(process) << pid;
      ExpectNow(*process, lives.back());
      ASSERT_FALSE(HasFatalFailure()) << "after " << i;
    }
  }
}

TEST_P(ProcessTablePropertyTest, WithDelayAndLossesItKnowsNothingWrong) {
  ProcessSimulator world(GetParam());
  ProcessTable table({.limit = 100'000, .proc = world.proc.path()});
  ASSERT_TRUE(table.Bootstrap().ok());
  std::size_t known = 0;
  std::size_t asked = 0;
  for (int i = 0; i < 3'000; ++i) {
    world.Act();
    if (!world.queue.empty() && world.Any(40) == 0) {  // what came last is lost
      world.queue.pop_back();
      world.queue.emplace_back(std::nullopt);
    }
    for (std::size_t left = world.Any(3); left > 0 && !world.queue.empty(); --left) {
      const std::optional<Event> event = world.queue.front();
      world.queue.pop_front();
      if (!event) {
        table.Invalidate();
        continue;
      }
      table.Apply(*event);
      for (const auto& [pid, lives] : world.lives()) {
        if (const auto process = table.Find(pid)) {
          ExpectTrue(*process, world, event->timestamp_ns);
          ASSERT_FALSE(HasFatalFailure()) << "after " << i;
          ++asked;
          known += process->command ? 1U : 0U;
        }
      }
    }
  }
  EXPECT_GT(known, asked / 2) << "but a good deal";
}

// Who is in a table that is too small, as lists.
class ReferenceProcessTable {
 public:
  explicit ReferenceProcessTable(std::size_t limit) : limit_(limit) {}

  void Apply(const Event& event, const ProcessSimulator& world) {
    const auto* const fork = std::get_if<ForkBody>(&event.body);
    if (fork != nullptr && fork->child.pid > 0) {
      Touch(fork->parent.tgid);
      Forget(fork->child.tgid);
      Touch(fork->child.tgid);
      return;
    }
    const std::int32_t pid = PidOf(event);
    Touch(pid);
    if (world.LivesOf(pid).back().end_ns != kForever && std::erase(living_, pid) > 0) {
      ended_.push_back(pid);
    }
  }
  void Touch(std::int32_t pid) {
    if (Has(pid)) {
      return;
    }
    if (living_.size() + ended_.size() == limit_) {
      std::vector<std::int32_t>& from = ended_.empty() ? living_ : ended_;
      from.erase(from.begin());
    }
    living_.push_back(pid);
  }
  [[nodiscard]] bool Has(std::int32_t pid) const {
    return std::ranges::count(living_, pid) + std::ranges::count(ended_, pid) > 0;
  }

 private:
  static std::int32_t PidOf(const Event& event) {
    return std::visit(
        [](const auto& body) -> std::int32_t {
          if constexpr (requires { body.task; }) {
            return body.task.tgid;
          } else if constexpr (requires { body.child; }) {
            return body.child.tgid;
          } else {
            return 0;
          }
        },
        event.body);
  }
  void Forget(std::int32_t pid) {
    std::erase(living_, pid);
    std::erase(ended_, pid);
  }

  std::size_t limit_;
  std::vector<std::int32_t> living_;
  std::vector<std::int32_t> ended_;
};

TEST_P(ProcessTablePropertyTest, ASmallOneForgetsTheEndedAndThenTheOldest) {
  const std::size_t limit = 1 + GetParam() * 12;
  ProcessSimulator world(GetParam());
  ProcessTable table({.limit = limit, .proc = world.proc.path()});
  ReferenceProcessTable slow(limit);
  for (int i = 1; i <= 1'500; ++i) {
    world.Act();
    for (; !world.queue.empty(); world.queue.pop_front()) {
      const Event& event = *world.queue.front();
      table.Apply(event);
      slow.Apply(event, world);
    }
    ASSERT_LE(table.size(), limit);
    for (const auto& [pid, lives] : world.lives()) {
      const auto process = table.Find(pid);
      ASSERT_EQ(process.has_value(), slow.Has(pid)) << pid << " after " << i;
      if (process) {
        ExpectTrue(*process, world, MonotonicNanos());
        ASSERT_FALSE(HasFatalFailure()) << "after " << i;
      }
    }
  }
}

}  // namespace
}  // namespace procevent

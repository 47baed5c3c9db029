// Who is who by the library's table, against the real connector and the real /proc.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/system.h"
#include "core/lookup/process_table.h"
#include "core/protocol/sequence_tracker.h"
#include "core/sources/connector/datagram_batch.h"
#include "core/sources/procfs/proc_reader.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class LookupLiveTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      connector_ = SubscribeOrDie();
      ASSERT_TRUE(table_.Bootstrap().ok());
      ASSERT_TRUE(table_.ready());
    }
  }
  void TearDown() override {
    if (connector_) {
      connector_->Unsubscribe();
    }
  }

  // Events are applied until it holds; whether it came to hold.
  bool Await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline || !connector_->Receive(batch_, 10ms)) {
        return false;
      }
      ForEachKernelEvent(batch_, [&](const Event& event) {
        if (sequence_.Observe(event.cpu, event.sequence).lost > 0) {
          table_.Invalidate();
        }
        table_.Apply(event);
      });
    }
    return true;
  }
  bool AwaitCommand(pid_t pid, std::string_view command) {
    return Await([&] { return Find(pid).command == CommName(command); });
  }
  Process Find(pid_t pid) { return table_.Find(pid).value_or(Process{}); }

  std::optional<ProcConnector> connector_;
  ProcessTable table_;
  SequenceTracker sequence_{PossibleCpus()};
  DatagramBatch batch_;
};

// The child goes on with each line that is written to it.
struct Child {
  explicit Child(const std::function<void(const std::function<void()>& wait)>& play) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      std::abort();
    }
    pid = ::fork();
    if (pid == 0) {
      play([&] {
        char line = 0;
        if (::read(ends[0], &line, 1) != 1) {
          ::_exit(1);
        }
      });
      ::_exit(0);
    }
    ::close(ends[0]);
    in.Reset(ends[1]);
  }
  void Continue() const { EXPECT_EQ(::write(in.get(), "\n", 1), 1); }

  pid_t pid = 0;
  OwnedFd in;
};

TEST_F(LookupLiveTest, WhoLivedBeforeIsKnown) {
  ProcSnapshot self;
  ASSERT_EQ(ProcPidReader().ReadSnapshot(::getpid(), self), ProcPidReader::ReadStatus::kRead);
  const Process process = Find(::getpid());
  EXPECT_EQ(process.command, self.name);
  EXPECT_EQ(process.user, ::geteuid());
  EXPECT_EQ(process.parent, ::getppid());
  EXPECT_TRUE(process.alive);
}

TEST_F(LookupLiveTest, AChildIsFollowedFromForkToExit) {
  const auto program = std::filesystem::temp_directory_path() / ("look" + std::to_string(::getpid()));
  std::filesystem::copy_file("/bin/sleep", program, std::filesystem::copy_options::overwrite_existing);
  const Child child([&](const std::function<void()>& wait) {
    wait();
    ::prctl(PR_SET_NAME, "lookup named");
    wait();
    [[maybe_unused]] const int changed = ::setuid(65534);
    wait();
    ::execl(program.c_str(), "some name", "60", nullptr);
  });
  EXPECT_TRUE(AwaitCommand(child.pid, Find(::getpid()).command->view()));
  EXPECT_EQ(Find(child.pid).user, ::geteuid());
  EXPECT_EQ(Find(child.pid).parent, ::getpid());
  EXPECT_GT(Find(child.pid).start_ns, Find(::getpid()).start_ns);
  child.Continue();
  EXPECT_TRUE(AwaitCommand(child.pid, "lookup named"));
  child.Continue();
  EXPECT_TRUE(Await([&] { return Find(child.pid).user == 65534U; }));
  child.Continue();
  EXPECT_TRUE(AwaitCommand(child.pid, program.filename().string()));
  EXPECT_EQ(Find(child.pid).user, 65534U);
  EXPECT_TRUE(Find(child.pid).alive);
  ::kill(child.pid, SIGKILL);
  WaitFor(child.pid);
  EXPECT_TRUE(Await([&] { return !Find(child.pid).alive; }));
  EXPECT_EQ(Find(child.pid).command, CommName(program.filename().string())) << "it is still found";
  std::filesystem::remove(program);
}

// Kernel threads of pools change their names in /proc without an event.
TEST_F(LookupLiveTest, AfterAStormAllAreCalledAsProcSays) {
  const pid_t beside = ForkInBackground(500);
  ASSERT_TRUE(Await([&] { return table_.Find(beside) && !Find(beside).alive; }));
  WaitFor(beside);
  constexpr std::int32_t kKthreadd = 2;
  std::string wrong;
  ProcPidReader pids;
  const bool all = Await([&] {
    wrong.clear();
    std::array<std::int32_t, 64> some{};
    while (const std::size_t count = pids.ListNext(some)) {
      for (std::size_t i = 0; i < count; ++i) {
        ProcSnapshot seen;
        if (pids.ReadSnapshot(some[i], seen) == ProcPidReader::ReadStatus::kRead && !seen.dead &&
            seen.parent != kKthreadd) {
          const Process process = Find(some[i]);
          if (process.command != seen.name || process.user != seen.euid || !process.alive) {
            wrong += std::to_string(some[i]) + " " + std::string(seen.name.view()) + "\n";
          }
        }
      }
    }
    return wrong.empty();
  });
  EXPECT_TRUE(all) << wrong;
}

}  // namespace
}  // namespace procevent

// The library's process table against the real connector and /proc.
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

  // Applies events until the condition holds. False after a timeout.
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

// A forked child that continues with each Continue().
struct Child {
  explicit Child(const std::function<void(const std::function<void()>& wait)>& body) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      std::abort();
    }
    pid = ::fork();
    if (pid == 0) {
      body([&] {
        char line = 0;
        if (::read(ends[0], &line, 1) != 1) {
          ::_exit(1);
        }
      });
      ::_exit(0);
    }
    ::close(ends[0]);
    input.Reset(ends[1]);
  }
  void Continue() const { EXPECT_EQ(::write(input.get(), "\n", 1), 1); }

  pid_t pid = 0;
  OwnedFd input;
};

TEST_F(LookupLiveTest, KnowsAProcessFromBootstrap) {
  ProcSnapshot self;
  ASSERT_EQ(ProcPidReader().ReadSnapshot(::getpid(), self), ProcPidReader::ReadStatus::kRead);
  const Process process = Find(::getpid());
  EXPECT_EQ(process.command, self.name);
  EXPECT_EQ(process.user, ::geteuid());
  EXPECT_EQ(process.parent, ::getppid());
  EXPECT_TRUE(process.alive);
}

TEST_F(LookupLiveTest, FollowsAChildFromForkToExit) {
  const auto program = std::filesystem::temp_directory_path() / ("lookup" + std::to_string(::getpid()));
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
  EXPECT_EQ(Find(child.pid).command, CommName(program.filename().string())) << "an exited process is still found";
  std::filesystem::remove(program);
}

// Kernel threads of pools change their names in /proc without an event.
TEST_F(LookupLiveTest, AgreesWithProcAfterAStorm) {
  const pid_t storm = ForkInBackground(500);
  ASSERT_TRUE(Await([&] { return table_.Find(storm) && !Find(storm).alive; }));
  WaitFor(storm);
  std::string differences;
  ProcPidReader pids;
  const bool all = Await([&] {
    differences.clear();
    std::array<std::int32_t, 64> some{};
    while (const std::size_t count = pids.ListNext(some)) {
      for (std::size_t i = 0; i < count; ++i) {
        ProcSnapshot snapshot;
        if (pids.ReadSnapshot(some[i], snapshot) == ProcPidReader::ReadStatus::kRead && !snapshot.dead &&
            snapshot.parent != kKthreadd) {
          const Process process = Find(some[i]);
          if (process.command != snapshot.name || process.user != snapshot.euid || !process.alive) {
            differences += std::to_string(some[i]) + " " + std::string(snapshot.name.view()) + "\n";
          }
        }
      }
    }
    return differences.empty();
  });
  EXPECT_TRUE(all) << differences;
}

}  // namespace
}  // namespace procevent

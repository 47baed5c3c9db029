// Fixture of tests that compare a reader's per-name numbers with real processes of unique names.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/reader/reader.h"
#include "live_fixture.h"

namespace procevent {

// Runs the workload program in a scenario (see workload.cc).
class WorkloadProcess {
 public:
  // `program` is the workload or a copy of it; the first argument is the command name that it takes.
  WorkloadProcess(const std::string& program, std::vector<std::string> arguments, const std::string& directory);
  WorkloadProcess(const WorkloadProcess&) = delete;
  WorkloadProcess& operator=(const WorkloadProcess&) = delete;
  ~WorkloadProcess();

  void AwaitReady();
  void Continue() const;
  // Reads its output to the end. Returns its status as waitpid reports it.
  int Wait();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint64_t reported(const std::string& key) const;

 private:
  bool ReadLine(std::string& line) const;

  pid_t pid_ = 0;
  OwnedFd input_;
  OwnedFd output_;
  std::map<std::string, std::uint64_t> reported_;
};

class ProcessTrackerFixture : public LiveTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  void Start(const ConnectorOptions& connector = {}, const ReaderOptions& options = {});
  // Checks the sums of every snapshot.
  Snapshot TakeSnapshot();
  // The first snapshot for which the condition holds, or the last one before the timeout.
  Snapshot Await(const std::function<bool(const Snapshot&)>& condition,
                 std::chrono::seconds timeout = std::chrono::seconds(20));
  // An exit event can arrive after waitpid has returned.
  Snapshot AwaitExits(std::string_view name, std::uint64_t exits);

  // A command name that no other process has. `prefix` has at most 8 bytes.
  std::string Name(const std::string& prefix) const;
  std::unique_ptr<WorkloadProcess> StartWorkload(std::vector<std::string> arguments) const;
  // Runs the workload to its end, and expects status 0.
  std::unique_ptr<WorkloadProcess> RunWorkload(std::vector<std::string> arguments) const;
  // Copies a program to another file name, and returns the path.
  std::string CopyOf(const std::filesystem::path& program, const std::string& name) const;
  static std::filesystem::path WorkloadProgram();

  // The row of a name; nullptr or zeros if it has none.
  static const GroupRow* RowOf(const Snapshot& snapshot, std::string_view name);
  static Counts CountsOf(const Snapshot& snapshot, std::string_view name);
  // How many processes of a name exited with a status, or with 128 + signal.
  static std::uint64_t ExitCount(const Snapshot& snapshot, std::string_view name, unsigned status);
  // The same from the table of exit reasons.
  static std::uint64_t ExitReasonCountOf(const Snapshot& snapshot, std::string_view name, ExitReason reason);

  CountingOptions counting_options_;
  std::filesystem::path directory_;

 private:
  std::unique_ptr<Reader> reader_;
  int number_ = 0;
};

constexpr std::string_view kUntrackedName = kReservedGroupNames[static_cast<std::size_t>(ReservedGroup::kUntracked)];
constexpr std::string_view kUnattributedName =
    kReservedGroupNames[static_cast<std::size_t>(ReservedGroup::kUnattributed)];
constexpr std::string_view kOverflowName = kReservedGroupNames[static_cast<std::size_t>(ReservedGroup::kOverflow)];

// The sums that docs/metrics.md guarantees for every scrape.
void ExpectSums(const Numbers& numbers);

// Living processes and threads, as /proc lists them.
struct Population {
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  bool operator==(const Population&) const = default;
};
Population CountProcTasks();

}  // namespace procevent

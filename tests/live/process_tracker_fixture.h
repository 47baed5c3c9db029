// For tests of who is who against the real connector: a reader of their own, actors with names that nobody else has,
// and the numbers that were booked under those.
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

// The program beside the tests that plays a scene (see workload.cc).
class WorkloadProcess {
 public:
  // `program` is the workload or a copy of it; the first argument is the name it takes.
  WorkloadProcess(const std::string& program, std::vector<std::string> arguments, const std::string& directory);
  WorkloadProcess(const WorkloadProcess&) = delete;
  WorkloadProcess& operator=(const WorkloadProcess&) = delete;
  ~WorkloadProcess();

  void AwaitReady();
  void Continue() const;
  // Its status as waitpid gives it, once all that it told has been read.
  int Wait();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint64_t reported(const std::string& key) const;

 private:
  bool ReadLine(std::string& line) const;

  pid_t pid_ = 0;
  OwnedFd in_;
  OwnedFd out_;
  std::map<std::string, std::uint64_t> told_;
};

class ProcessTrackerFixture : public LiveTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  void Start(const ConnectorOptions& connector = {}, const ReaderOptions& options = {});
  // Of every snapshot the sums are checked.
  Snapshot TakeSnapshot();
  // The first for which that holds, or one of much later.
  Snapshot Await(const std::function<bool(const Snapshot&)>& condition,
                 std::chrono::seconds patience = std::chrono::seconds(20));
  // Exits come after those who waited for them went on.
  Snapshot AwaitExits(std::string_view name, std::uint64_t ends);

  // A name that no other process has. `what` has 8 bytes at most.
  std::string Name(const std::string& what) const;
  std::unique_ptr<WorkloadProcess> StartWorkload(std::vector<std::string> arguments) const;
  // Plays to the end, which is a status of 0.
  std::unique_ptr<WorkloadProcess> RunWorkload(std::vector<std::string> arguments) const;
  // A program under another name.
  std::string CopyOf(const std::filesystem::path& program, const std::string& name) const;
  static std::filesystem::path WorkloadProgram();

  // What a name's row says; nothing, if it has none.
  static const CommRow* RowOf(const Snapshot& snapshot, std::string_view name);
  static Counts CountsOf(const Snapshot& snapshot, std::string_view name);
  // How many processes of a name ended with a status, or with 128 and a signal.
  static std::uint64_t ExitCount(const Snapshot& snapshot, std::string_view name, unsigned status);

  LedgerOptions ledger_options_;
  std::filesystem::path directory_;

 private:
  std::unique_ptr<Reader> reader_;
  int number_ = 0;
};

constexpr std::string_view kUntrackedName = kReservedCommNames[static_cast<std::size_t>(ReservedComm::kUntracked)];
constexpr std::string_view kUnattributedName =
    kReservedCommNames[static_cast<std::size_t>(ReservedComm::kUnattributed)];
constexpr std::string_view kOverflowName = kReservedCommNames[static_cast<std::size_t>(ReservedComm::kOverflow)];

// What METRICS.md says is true of every scrape.
void ExpectSums(const LedgerSnapshot& numbers);

// Processes and threads that live, as /proc lists them.
struct Population {
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  bool operator==(const Population&) const = default;
};
Population CountProcTasks();

}  // namespace procevent

#include "process_tracker_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

std::pair<OwnedFd, OwnedFd> OpenPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot create a pipe");
  }
  return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

std::uint64_t Sum(const Counts& counts, std::initializer_list<CountKind> kinds) {
  return std::accumulate(kinds.begin(), kinds.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, CountKind kind) { return sum + counts[kind]; });
}

std::uint64_t ExitsOf(const Counts& counts) {
  return Sum(counts, {CountKind::kSucceeded, CountKind::kFailed, CountKind::kKilled});
}

std::uint64_t CountExits(const Numbers& numbers, bool killed) {
  std::uint64_t exits = 0;
  for (const ExitReasonCount& pair : numbers.exit_reasons.pairs()) {
    exits += pair.reason.killed == killed ? pair.count : 0;
  }
  return exits;
}

// The process state in a stat file of /proc; '?' if the file is gone.
char ReadState(const std::filesystem::path& stat) {
  std::ifstream file(stat);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t end = text.rfind(')');
  return end == std::string::npos || end + 2 >= text.size() ? '?' : text[end + 2];
}

std::uint64_t CountLivingThreads(const std::filesystem::path& process) {
  std::uint64_t living = 0;
  std::error_code gone;
  for (std::filesystem::directory_iterator task(process / "task", gone), end; !gone && task != end;
       task.increment(gone)) {
    living += std::string_view("ZX?").find(ReadState(task->path() / "stat")) == std::string_view::npos ? 1U : 0U;
  }
  return living;
}

template <typename Counts, typename Labels>
void Append(std::string& text, const Counts& counts, const Labels& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += " " + std::string(labels.at(i)) + "=" + std::to_string(counts.at(i));
  }
}

// Numbers that help to explain a failure.
std::string DescribeSnapshot(const Snapshot& snapshot) {
  std::string text =
      "lost=" + std::to_string(snapshot.numbers.total_lost()) + " unseen=" + std::to_string(snapshot.forks_unseen);
  Append(text, snapshot.restarts, kRestartReasonNames);
  Append(text, snapshot.numbers.found, kProcessFoundReasonNames);
  Append(text, snapshot.numbers.dropped, kProcessDropReasonNames);
  for (std::size_t i = 0; i < kReservedGroups; ++i) {
    const GroupRow& row = snapshot.numbers.groups.rows.at(i);
    text += "\n" + std::string(row.labels[0].view()) +
            ": threads ended=" + std::to_string(row.counts[CountKind::kThreadsEnded]) + ", codes:";
    for (std::size_t code = 0; code < row.exit_codes.counts().size(); ++code) {
      const std::uint64_t count = row.exit_codes.counts().at(code);
      text += count == 0 ? "" : " " + std::to_string(code) + "=" + std::to_string(count);
    }
  }
  return text;
}

}  // namespace

WorkloadProcess::WorkloadProcess(const std::string& program, std::vector<std::string> arguments,
                                 const std::string& directory) {
  auto [in_read, in_write] = OpenPipe();
  auto [out_read, out_write] = OpenPipe();
  std::string program_name = "workload";
  std::vector<char*> pointers{program_name.data()};
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in_read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, pointers.data(), nullptr);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw std::runtime_error("cannot start " + program);
  }
  input_ = std::move(in_write);
  output_ = std::move(out_read);
}

WorkloadProcess::~WorkloadProcess() {
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void WorkloadProcess::AwaitReady() {
  std::string line;
  ASSERT_TRUE(ReadLine(line));
  ASSERT_EQ(line, "ready");
}

void WorkloadProcess::Continue() const { ASSERT_EQ(::write(input_.get(), "\n", 1), 1); }

int WorkloadProcess::Wait() {
  for (std::string line; ReadLine(line);) {
    const std::size_t space = line.find(' ');
    reported_[line.substr(0, space)] = std::stoull(line.substr(space + 1));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(std::exchange(pid_, 0), &status, 0) > 0, true);
  return status;
}

std::uint64_t WorkloadProcess::reported(const std::string& key) const {
  const auto found = reported_.find(key);
  return found == reported_.end() ? 0 : found->second;
}

bool WorkloadProcess::ReadLine(std::string& line) const {
  line.clear();
  char byte = 0;
  while (::read(output_.get(), &byte, 1) == 1) {
    if (byte == '\n') {
      return true;
    }
    line += byte;
  }
  return false;
}

void ProcessTrackerFixture::SetUp() {
  LiveTest::SetUp();
  static int numbers = 0;
  number_ = ::getpid() % 10'000 * 100 + numbers++;
  std::string pattern = std::filesystem::temp_directory_path() / "procevent-live-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  counting_options_.exit_code_bounds.resize(256);  // one bucket per status
  std::iota(counting_options_.exit_code_bounds.begin(), counting_options_.exit_code_bounds.end(), 0);
  counting_options_.exit_code_by_group = true;
  counting_options_.lifetime_by_group = true;
}

void ProcessTrackerFixture::TearDown() {
  if (HasFailure() && reader_ != nullptr) {
    std::cout << DescribeSnapshot(TakeSnapshot()) << "\n";
  }
  reader_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ProcessTrackerFixture::Start(const ConnectorOptions& connector, const ReaderOptions& options) {
  reader_ = std::make_unique<Reader>(MakeReaderSources(connector), options, PossibleCpus(), EventCoverage::kAll,
                                     counting_options_);
  reader_->Start();
}

Snapshot ProcessTrackerFixture::TakeSnapshot() {
  Snapshot snapshot(PossibleCpus(), counting_options_);
  EXPECT_EQ(reader_->exchange().CopySnapshot(snapshot, 60s), SnapshotExchange::Freshness::kFresh);
  EXPECT_TRUE(snapshot.subscribed);
  ExpectSums(snapshot.numbers);
  return snapshot;
}

Snapshot ProcessTrackerFixture::Await(const std::function<bool(const Snapshot&)>& condition,
                                      std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  Snapshot snapshot = TakeSnapshot();
  while (!condition(snapshot) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(20ms);
    snapshot = TakeSnapshot();
  }
  return snapshot;
}

Snapshot ProcessTrackerFixture::AwaitExits(std::string_view name, std::uint64_t exits) {
  Await([&](const Snapshot& snapshot) { return ExitsOf(CountsOf(snapshot, name)) >= exits; });
  std::this_thread::sleep_for(30ms);  // an event too many would also arrive late
  return TakeSnapshot();
}

std::string ProcessTrackerFixture::Name(const std::string& prefix) const {
  std::string name = prefix + "." + std::to_string(number_);
  EXPECT_LE(name.size(), CommName::kMaxBytes) << "the kernel truncates it";
  return name;
}

std::unique_ptr<WorkloadProcess> ProcessTrackerFixture::StartWorkload(std::vector<std::string> arguments) const {
  return std::make_unique<WorkloadProcess>(WorkloadProgram(), std::move(arguments), directory_);
}

std::unique_ptr<WorkloadProcess> ProcessTrackerFixture::RunWorkload(std::vector<std::string> arguments) const {
  auto workload = StartWorkload(std::move(arguments));
  EXPECT_EQ(workload->Wait(), 0);
  return workload;
}

std::string ProcessTrackerFixture::CopyOf(const std::filesystem::path& program, const std::string& name) const {
  std::filesystem::copy_file(program, directory_ / name);
  return directory_ / name;
}

std::filesystem::path ProcessTrackerFixture::WorkloadProgram() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "workload";
}

const GroupRow* ProcessTrackerFixture::RowOf(const Snapshot& snapshot, std::string_view name) {
  const auto& rows = snapshot.numbers.groups.rows;
  const auto row =
      std::ranges::find_if(rows, [&](const GroupRow& it) { return it.in_use() && it.labels[0].view() == name; });
  return row == rows.end() ? nullptr : &*row;
}

Counts ProcessTrackerFixture::CountsOf(const Snapshot& snapshot, std::string_view name) {
  const GroupRow* const row = RowOf(snapshot, name);
  return row == nullptr ? Counts() : row->counts;
}

std::uint64_t ProcessTrackerFixture::ExitCount(const Snapshot& snapshot, std::string_view name, unsigned status) {
  const GroupRow* const row = RowOf(snapshot, name);
  return row == nullptr ? 0 : row->exit_codes.counts().at(status);
}

std::uint64_t ProcessTrackerFixture::ExitReasonCountOf(const Snapshot& snapshot, std::string_view name,
                                                       ExitReason reason) {
  const auto pairs = snapshot.numbers.exit_reasons.pairs();
  const auto pair = std::ranges::find_if(pairs, [&](const ExitReasonCount& it) {
    return it.reason == reason && snapshot.numbers.groups.rows.at(it.group).labels[0].view() == name;
  });
  return pair == pairs.end() ? 0 : pair->count;
}

void ExpectSums(const Numbers& numbers) {
  const Counts& sums = numbers.totals;
  Counts by_group;
  std::uint64_t codes = 0;
  for (const GroupRow& row : numbers.groups.rows) {
    by_group += row.counts;
    codes += row.exit_codes.count();
    EXPECT_LE(row.counts[CountKind::kWithoutExec], ExitsOf(row.counts)) << row.labels[0].view();
  }
  Counts added = by_group;
  added += numbers.pending;
  added += numbers.groups.retired;
  added[CountKind::kWithoutExec] = 0;  // no activity
  EXPECT_EQ(added, sums);
  EXPECT_EQ(Sum(sums, {CountKind::kForks, CountKind::kThreadsStarted}), numbers.events_of(EventKind::kFork));
  EXPECT_EQ(sums[CountKind::kExecs], numbers.events_of(EventKind::kExec));
  EXPECT_EQ(ExitsOf(sums) + sums[CountKind::kThreadsEnded], numbers.events_of(EventKind::kExit));
  EXPECT_EQ(sums[CountKind::kCoredumps], numbers.events_of(EventKind::kCoredump));
  EXPECT_EQ(Sum(sums, {CountKind::kAttached, CountKind::kDetached}), numbers.events_of(EventKind::kPtrace));
  EXPECT_EQ(Sum(sums, {CountKind::kUidGainedRoot, CountKind::kUidLeftRoot, CountKind::kUidOther}),
            numbers.events_of(EventKind::kUid));
  EXPECT_EQ(Sum(sums, {CountKind::kGidGainedRoot, CountKind::kGidLeftRoot, CountKind::kGidOther}),
            numbers.events_of(EventKind::kGid));
  EXPECT_EQ(numbers.exits.exit_codes.count(), ExitsOf(sums));
  EXPECT_EQ(codes, ExitsOf(by_group));
  EXPECT_EQ(CountExits(numbers, false), by_group[CountKind::kFailed]);
  EXPECT_EQ(CountExits(numbers, true), by_group[CountKind::kKilled]);
  EXPECT_LE(numbers.exits.lifetimes.count(), ExitsOf(sums));
  EXPECT_LE(numbers.groups.rows_in_use, numbers.groups.limit);
  EXPECT_GE(numbers.threads, numbers.processes);
}

Population CountProcTasks() {
  Population population;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      const std::uint64_t threads = CountLivingThreads(entry.path());
      population.processes += threads > 0 ? 1U : 0U;
      population.threads += threads;
    }
  }
  return population;
}

}  // namespace procevent

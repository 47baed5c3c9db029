// Missing, empty, malformed and restricted /proc directories.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/sources/procfs/proc_reader.h"

namespace procevent {
namespace {

using ReadStatus = ProcPidReader::ReadStatus;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::int32_t> ListAll(ProcPidReader& reader, std::size_t chunk_size) {
  std::vector<std::int32_t> all;
  std::vector<std::int32_t> chunk(chunk_size);
  while (const std::size_t count = reader.ListNext(chunk)) {
    EXPECT_LE(count, chunk_size);
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

class FakeProcTest : public testing::Test {
 protected:
  FakeProcTest() {
    std::string name = testing::TempDir() + "procevent_proc_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~FakeProcTest() override { std::filesystem::remove_all(path_); }

  void Write(std::int32_t tgid, const std::string& file, const std::string& text) const {
    const auto directory = path_ / std::to_string(tgid);
    std::filesystem::create_directories(directory);
    std::ofstream(directory / file) << text;
  }

  std::filesystem::path path_;
};

constexpr const char* kMapped = "2178 1027 800 253 0 318 0\n";  // statm of a running program

constexpr const char* kHiddenError = "cannot read the processes of other users in /proc";
constexpr const char* kHidepidCause = "/proc is mounted with hidepid";

bool IsHidepidError(const std::string& error) {
  return error.starts_with(kHiddenError) && error.find(kHidepidCause) != std::string::npos &&
         error.find("gid=") != std::string::npos && error.find("CAP_SYS_PTRACE") != std::string::npos;
}

TEST_F(FakeProcTest, ReportsEmptyDirectoryAsNotMounted) {
  const Status status = ProcPidReader(path_.c_str()).CheckVisibility();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(Describe(status.error()), AllOf(StartsWith("cannot find processes in /proc: No such file or directory; "),
                                              HasSubstr("mount /proc")));
}

TEST_F(FakeProcTest, ReportsMissingProcessesAsHidden) {
  std::filesystem::create_symlink("2", path_ / "self");
  ProcPidReader reader(path_.c_str());
  const Status status = reader.CheckVisibility();
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(IsHidepidError(Describe(status.error()))) << Describe(status.error());
  ProcSnapshot snapshot;
  EXPECT_EQ(reader.ReadSnapshot(::getpid(), snapshot), ReadStatus::kHidden) << "the process exists but is not readable";
  EXPECT_EQ(reader.ReadWithoutCredentials(::getpid(), snapshot), ReadStatus::kHidden);
  EXPECT_TRUE(ListAll(reader, 8).empty());
}

// A security policy may hide process 1 even with CAP_SYS_PTRACE.
TEST_F(FakeProcTest, AcceptsOneVisibleSystemProcess) {
  for (const std::int32_t shown : {1, 2}) {
    const std::string number = std::to_string(shown);
    Write(shown, "stat", number + " (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 0 7 0\n");
    Write(shown, "statm", kMapped);
    EXPECT_TRUE(ProcPidReader(path_.c_str()).CheckVisibility().ok()) << number;
    std::filesystem::remove_all(path_ / number);
  }
}

TEST_F(FakeProcTest, ReportsHidepidOnlyForHiddenProcesses) {
  std::filesystem::create_symlink("2", path_ / "self");
  const ProcPidReader reader(path_.c_str());
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Status status = reader.CheckVisibility();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(Describe(status.error()),
              AllOf(StartsWith(std::string(kHiddenError) + ": Too many open files; "), HasSubstr("ulimit -n")));
  Write(1, "stat", "1 (x) S 1");
  const std::string unreadable = Describe(reader.CheckVisibility().error());
  EXPECT_THAT(unreadable, AllOf(StartsWith(std::string(kHiddenError) + ": "), Not(HasSubstr("hidepid"))));
}

TEST_F(FakeProcTest, ReportsMissingDirectory) {
  ProcPidReader reader((path_ / "none").c_str());
  const Status status = reader.CheckVisibility();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(Describe(status.error()),
              AllOf(StartsWith("cannot open /proc: No such file or directory; "), HasSubstr("mount /proc")));
  ProcSnapshot snapshot;
  EXPECT_EQ(reader.ReadSnapshot(::getpid(), snapshot), ReadStatus::kHidden);
  EXPECT_EQ(reader.ReadWithoutCredentials(1, snapshot), ReadStatus::kHidden);
  EXPECT_TRUE(ListAll(reader, 8).empty());
}

TEST_F(FakeProcTest, ListsOnlyValidPids) {
  for (const char* name : {"1", "42", "self", "0", "-3", "7x", "99999999999", "sys", "007x", "2147483647"}) {
    std::filesystem::create_directories(path_ / name);
  }
  ProcPidReader reader(path_.c_str());
  auto all = ListAll(reader, 2);
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::int32_t>{1, 42, 2147483647}));
}

TEST_F(FakeProcTest, TreatsMalformedFilesAsHidden) {
  const std::string stat = "5 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 0 7 0\n";
  ProcSnapshot snapshot;
  const ProcPidReader reader(path_.c_str());
  Write(5, "stat", stat);
  Write(5, "statm", kMapped);
  Write(5, "status", "Name:\tx\n");
  EXPECT_EQ(reader.ReadSnapshot(5, snapshot), ReadStatus::kHidden) << "status without IDs";
  Write(5, "status", "Name:\tx\nTgid:\t5\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
  EXPECT_EQ(reader.ReadSnapshot(5, snapshot), ReadStatus::kRead);
  EXPECT_EQ(snapshot.threads, 2U);
  Write(5, "statm", "2178 1027");
  EXPECT_EQ(reader.ReadSnapshot(5, snapshot), ReadStatus::kHidden) << "statm without a code field";
  EXPECT_EQ(reader.ReadWithoutCredentials(5, snapshot), ReadStatus::kHidden);
  Write(5, "stat", "5 (x) S 1");
  Write(5, "statm", kMapped);
  EXPECT_EQ(reader.ReadSnapshot(5, snapshot), ReadStatus::kHidden) << "truncated stat";
}

TEST_F(FakeProcTest, DetectsExecInProgressFromStatm) {
  Write(5, "stat", "5 (x) R 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 0 7 0\n");
  Write(5, "status", "Name:\tx\nTgid:\t5\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
  const ProcPidReader reader(path_.c_str());
  for (const bool mapped : {true, false}) {
    Write(5, "statm", mapped ? kMapped : "2171 480 470 0 0 311 0\n");
    ProcSnapshot partial;
    ProcSnapshot full;
    EXPECT_EQ(reader.ReadWithoutCredentials(5, partial), ReadStatus::kRead);
    EXPECT_EQ(reader.ReadSnapshot(5, full), ReadStatus::kRead);
    EXPECT_EQ(partial.may_be_in_exec, !mapped);
    EXPECT_EQ(full.may_be_in_exec, !mapped);
  }
}

// Checks a /proc mounted with hidepid, with and without privilege. Returns 0 on success, 77 if it cannot be mounted,
// and the number of the failed step otherwise.
int CheckHidepid(const char* path) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", path, "proc", 0, "hidepid=2") != 0) {
    return 77;
  }
  const ProcPidReader privileged(path);
  if (!privileged.CheckVisibility().ok()) {
    return 1;
  }
  if (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) {
    return 77;
  }
  ProcPidReader reader(path);
  ProcSnapshot snapshot;
  std::array<std::int32_t, 64> listed{};
  if (reader.CheckVisibility().ok() || !IsHidepidError(Describe(reader.CheckVisibility().error()))) {
    return 2;
  }
  if (reader.ReadSnapshot(1, snapshot) != ReadStatus::kHidden ||
      reader.ReadWithoutCredentials(1, snapshot) != ReadStatus::kHidden) {
    return 3;
  }
  const std::size_t count = reader.ListNext(listed);
  return std::find(listed.begin(), listed.begin() + count, 1) == listed.begin() + count ? 0 : 4;
}

TEST_F(FakeProcTest, DistinguishesHidepidFromMissingProcess) {
  ASSERT_EQ(::chmod(path_.c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(CheckHidepid(path_.c_str()));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "cannot mount /proc here";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace procevent

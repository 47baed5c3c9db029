// A /proc that is not there, holds nothing, lies, or hides.
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

using Look = ProcPidReader::ReadStatus;

std::vector<std::int32_t> ListAll(ProcPidReader& pids, std::size_t at_once) {
  std::vector<std::int32_t> all;
  std::vector<std::int32_t> some(at_once);
  while (const std::size_t count = pids.ListNext(some)) {
    EXPECT_LE(count, at_once);
    all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
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
    const auto folder = path_ / std::to_string(tgid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / file) << text;
  }

  std::filesystem::path path_;
};

constexpr const char* kMapped = "2178 1027 800 253 0 318 0\n";  // statm of a program that runs

constexpr const char* kHiddenText =
    "cannot see the processes of others in /proc; it is mounted with hidepid: mount it without, or give the exporter "
    "the "
    "group of its gid= option; until then programs stay without names";

TEST_F(FakeProcTest, WithoutAnythingItIsSaidNotToBeMounted) {
  const Status status = ProcPidReader(path_.c_str()).CheckVisibility();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Describe(status.error()),
            "cannot find processes in /proc: No such file or directory; mount it; without it programs stay without "
            "names");
}

TEST_F(FakeProcTest, WithoutProcessesItIsSaidToHideThem) {
  std::filesystem::create_symlink("2", path_ / "self");
  ProcPidReader pids(path_.c_str());
  const Status status = pids.CheckVisibility();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Describe(status.error()), kHiddenText);
  ProcSnapshot sighting;
  EXPECT_EQ(pids.ReadSnapshot(::getpid(), sighting), Look::kHidden) << "it is there, but not to be seen";
  EXPECT_EQ(pids.ReadWithoutCredentials(::getpid(), sighting), Look::kHidden);
  EXPECT_TRUE(ListAll(pids, 8).empty());
}

// A security policy may keep the first process from everybody, CAP_SYS_PTRACE or not.
TEST_F(FakeProcTest, OneThatIsShownOfThoseAlwaysThereIsEnough) {
  for (const std::int32_t shown : {1, 2}) {
    const std::string number = std::to_string(shown);
    Write(shown, "stat", number + " (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 0 7 0\n");
    Write(shown, "statm", kMapped);
    EXPECT_TRUE(ProcPidReader(path_.c_str()).CheckVisibility().ok()) << number;
    std::filesystem::remove_all(path_ / number);
  }
}

TEST_F(FakeProcTest, OnlyWhatIsHiddenIsCalledSo) {
  std::filesystem::create_symlink("2", path_ / "self");
  const ProcPidReader pids(path_.c_str());
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Status status = pids.CheckVisibility();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Describe(status.error()),
            "cannot see the processes of others in /proc: Too many open files; raise the limit of open files (ulimit "
            "-n); until then programs stay without names");
  Write(1, "stat", "1 (x) S 1");
  EXPECT_EQ(Describe(pids.CheckVisibility().error()),
            "cannot see the processes of others in /proc; until it can be read programs stay without names");
}

TEST_F(FakeProcTest, WithoutADirectoryThereIsNothing) {
  ProcPidReader pids((path_ / "none").c_str());
  const Status status = pids.CheckVisibility();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Describe(status.error()),
            "cannot open /proc: No such file or directory; mount it; without it programs stay without names");
  ProcSnapshot sighting;
  EXPECT_EQ(pids.ReadSnapshot(::getpid(), sighting), Look::kHidden);
  EXPECT_EQ(pids.ReadWithoutCredentials(1, sighting), Look::kHidden);
  EXPECT_TRUE(ListAll(pids, 8).empty());
}

TEST_F(FakeProcTest, OnlyNumbersAreListed) {
  for (const char* name : {"1", "42", "self", "0", "-3", "7x", "99999999999", "sys", "007x", "2147483647"}) {
    std::filesystem::create_directories(path_ / name);
  }
  ProcPidReader pids(path_.c_str());
  auto all = ListAll(pids, 2);
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::int32_t>{1, 42, 2147483647}));
}

TEST_F(FakeProcTest, TextsThatNobodyUnderstandsTellNothing) {
  const std::string stat = "5 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 0 7 0\n";
  ProcSnapshot sighting;
  const ProcPidReader pids(path_.c_str());
  Write(5, "stat", stat);
  Write(5, "statm", kMapped);
  Write(5, "status", "Name:\tx\n");
  EXPECT_EQ(pids.ReadSnapshot(5, sighting), Look::kHidden) << "no ids";
  Write(5, "status", "Name:\tx\nTgid:\t5\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
  EXPECT_EQ(pids.ReadSnapshot(5, sighting), Look::kRead);
  EXPECT_EQ(sighting.threads, 2U);
  Write(5, "statm", "2178 1027");
  EXPECT_EQ(pids.ReadSnapshot(5, sighting), Look::kHidden) << "no code";
  EXPECT_EQ(pids.ReadWithoutCredentials(5, sighting), Look::kHidden);
  Write(5, "stat", "5 (x) S 1");
  Write(5, "statm", kMapped);
  EXPECT_EQ(pids.ReadSnapshot(5, sighting), Look::kHidden) << "half a line";
}

TEST_F(FakeProcTest, WithoutCodeAProgramIsNotYetThere) {
  Write(5, "stat", "5 (x) R 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 0 7 0\n");
  Write(5, "status", "Name:\tx\nTgid:\t5\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
  const ProcPidReader pids(path_.c_str());
  for (const bool mapped : {true, false}) {
    Write(5, "statm", mapped ? kMapped : "2171 480 470 0 0 311 0\n");
    ProcSnapshot name;
    ProcSnapshot whole;
    EXPECT_EQ(pids.ReadWithoutCredentials(5, name), Look::kRead);
    EXPECT_EQ(pids.ReadSnapshot(5, whole), Look::kRead);
    EXPECT_EQ(name.exec_in_progress, !mapped);
    EXPECT_EQ(whole.exec_in_progress, !mapped);
  }
}

// What an exporter without rights finds on a /proc that was mounted with hidepid; 0: it is as it should be.
int LookThroughHidepid(const char* path) {
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
  ProcPidReader pids(path);
  ProcSnapshot sighting;
  std::array<std::int32_t, 64> listed{};
  if (pids.CheckVisibility().ok() || Describe(pids.CheckVisibility().error()) != kHiddenText) {
    return 2;
  }
  if (pids.ReadSnapshot(1, sighting) != Look::kHidden || pids.ReadWithoutCredentials(1, sighting) != Look::kHidden) {
    return 3;
  }
  const std::size_t count = pids.ListNext(listed);
  return std::find(listed.begin(), listed.begin() + count, 1) == listed.begin() + count ? 0 : 4;
}

TEST_F(FakeProcTest, HidepidIsToldFromAbsence) {
  ASSERT_EQ(::chmod(path_.c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(LookThroughHidepid(path_.c_str()));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "cannot mount a /proc of our own here";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace procevent

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/load.h"
#include "config/schema.h"
#include "tests/config/fault_lines.h"

namespace procevent {
namespace {

using testing::ElementsAre;

constexpr const char* kDefaultFile = "deploy/procevent_exporter.yml";

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = testing::TempDir() + "procevent_config_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string PathOf(const std::string& name) const { return folder_ + '/' + name; }
  [[nodiscard]] std::string Write(const std::string& name, std::string_view text) const {
    std::ofstream(PathOf(name), std::ios::binary) << text;
    return PathOf(name);
  }
  static std::vector<std::string> FaultsOf(const std::string& path) { return LinesOf(LoadConfigFile(path)); }

 private:
  std::string folder_;
};

// Root may read anything: here it is somebody else for a while.
class AsNobody {
 public:
  AsNobody() { EXPECT_EQ(::geteuid() == 0 ? ::seteuid(kNobody) : 0, 0); }
  ~AsNobody() { EXPECT_EQ(::seteuid(own_), 0); }

 private:
  static constexpr uid_t kNobody = 65534;
  uid_t own_ = ::geteuid();
};

TEST_F(FileTest, TheAnnotatedFileIsTheDefaults) {
  const LoadedConfig loaded = LoadConfigFile(kDefaultFile);
  ASSERT_THAT(FaultsOf(kDefaultFile), ElementsAre());
  EXPECT_EQ(std::get<EffectiveConfig>(loaded).config, Config{});
}

// The file without its comments, each line without its blanks.
std::string BareText(const char* path) {
  std::ifstream file(path);
  std::string bare = "\n";
  for (std::string line; std::getline(file, line);) {
    line.erase(0, line.find_first_not_of(' '));
    bare += line.starts_with('#') ? "" : line + '\n';
  }
  return bare;
}

TEST_F(FileTest, TheAnnotatedFileHasEveryKey) {
  const std::string bare = BareText(kDefaultFile);
  for (const ConfigKey& key : Schema()) {
    std::size_t at = 0;
    std::istringstream parts{std::string(key.path)};
    for (std::string part; at != std::string::npos && std::getline(parts, part, '.');) {
      at = bare.find('\n' + part + ':', at);
    }
    EXPECT_NE(at, std::string::npos) << key.path;
  }
}

TEST_F(FileTest, FaultsNameTheFile) {
  const std::string path = Write("bad.yml", "log:\n  level: loud\n");
  EXPECT_THAT(FaultsOf(path),
              ElementsAre(path + R"(:2:10: log.level: found "loud", allowed is debug, info, warning or error)"));
}

TEST_F(FileTest, IsNotThere) {
  const std::string path = PathOf("none.yml");
  EXPECT_THAT(FaultsOf(path), ElementsAre(path + ": found no way to open it (No such file or directory), allowed is "
                                                 "the path of an existing file"));
}

TEST_F(FileTest, IsAnothers) {
  const std::string path = Write("secret.yml", "");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const AsNobody nobody;
  EXPECT_THAT(FaultsOf(path),
              ElementsAre(path + ": found no way to open it (Permission denied), allowed is a file that "
                                 "the user it runs as may read, without the privileges given up at the "
                                 "start: chmod or chown it"));
}

TEST_F(FileTest, IsADirectory) {
  const std::string path = PathOf("");
  EXPECT_THAT(FaultsOf(path), ElementsAre(path + ": found a directory, allowed is a regular file"));
}

TEST_F(FileTest, IsAFifoThatNobodyWritesTo) {
  const std::string path = PathOf("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(FaultsOf(path), ElementsAre(path + ": found a FIFO, allowed is a regular file"));
}

TEST_F(FileTest, IsADevice) {
  EXPECT_THAT(FaultsOf("/dev/zero"), ElementsAre("/dev/zero: found a device, allowed is a regular file"));
}

TEST_F(FileTest, IsEmpty) { EXPECT_THAT(FaultsOf(Write("empty.yml", "")), ElementsAre()); }

TEST_F(FileTest, MayHaveOneMebibyte) {
  std::string text(1U << 20U, '\n');
  EXPECT_THAT(FaultsOf(Write("large.yml", text)), ElementsAre());
  text += '\n';
  const std::string path = Write("larger.yml", text);
  EXPECT_THAT(FaultsOf(path), ElementsAre(path + ": found more than 1MiB, allowed is a file of at most 1MiB"));
}

TEST_F(FileTest, AnOddNameIsMadePrintable) {
  EXPECT_THAT(FaultsOf("/nowhere/\x1b[2J\n"),
              ElementsAre(testing::StartsWith("/nowhere/\\x1b[2J\\x0a: found no way to open it")));
}

}  // namespace
}  // namespace procevent

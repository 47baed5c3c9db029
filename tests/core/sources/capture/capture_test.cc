// Captures written and read: whole, cut off, and of others.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/protocol/capture_record.h"
#include "core/sources/capture/capture_file.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {
namespace {

using Got = CaptureFile::PacketResult;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kPacketHeader = 16;

std::vector<std::byte> Payload(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i * 7);
  }
  return bytes;
}

struct Packet {
  std::uint64_t time_ns;
  std::uint16_t family;
  std::size_t size;
};
const std::vector<Packet> kPackets = {{1'700'000'000'123'456'789, kConnectorFamily, 76},
                                      {1'700'000'000'123'456'790, kRecordFamily, 24},
                                      {1'700'000'001'000'000'000, 0, 0},
                                      {1'700'000'001'999'999'999, kConnectorFamily, 256}};

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    std::string name = testing::TempDir() + "procevent_capture_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~CaptureTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string Path(const std::string& name = "a.pcap") const { return directory_ / name; }

  void WriteAll(const std::string& path) const {
    CaptureWriter writer(path);
    for (const Packet& packet : kPackets) {
      writer.Write(packet.time_ns, packet.family, Payload(packet.size));
    }
    EXPECT_TRUE(writer.Finish());
    EXPECT_EQ(writer.bytes(), std::filesystem::file_size(path));
  }

  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  // How many packets can be read, and how it ended.
  static std::size_t Count(CaptureFile& file, Got& end) {
    CapturedPacket packet;
    std::size_t count = 0;
    for (end = file.Read(packet); end == Got::kPacket; end = file.Read(packet)) {
      ++count;
    }
    return count;
  }

  static std::string WhyNot(const std::string& path) {
    try {
      const CaptureFile file(path);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it opens";
  }

  static std::string WhyNotWritten(const std::string& path) {
    try {
      const CaptureWriter writer(path);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it opens";
  }

  std::filesystem::path directory_;
};

TEST_F(CaptureTest, IsReadAsItWasWritten) {
  WriteAll(Path());
  CaptureFile file(Path());
  CapturedPacket packet;
  for (const Packet& written : kPackets) {
    ASSERT_EQ(file.Read(packet), Got::kPacket);
    EXPECT_EQ(packet.time_ns, written.time_ns);
    EXPECT_EQ(packet.kind == CapturedPacket::Kind::kDatagram, written.family == kConnectorFamily);
    EXPECT_TRUE(std::ranges::equal(packet.payload, Payload(written.size)));
  }
  EXPECT_EQ(file.Read(packet), Got::kEnd);
}

TEST_F(CaptureTest, IsForItsOwnerAlone) {
  WriteAll(Path());
  EXPECT_EQ(std::filesystem::status(Path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

// Wherever it is cut, what stands before is read, and the fault names the place.
TEST_F(CaptureTest, CutOffAnywhere) {
  WriteAll(Path());
  const std::string whole = Read(Path());
  std::vector<std::size_t> begins{kFileHeader};
  for (const Packet& packet : kPackets) {
    begins.push_back(begins.back() + kPacketHeader + kCookedHeaderBytes + packet.size);
  }
  ASSERT_EQ(begins.back(), whole.size());
  for (std::size_t size = kFileHeader; size < whole.size(); ++size) {
    Write(Path("cut"), whole.substr(0, size));
    CaptureFile file(Path("cut"));
    const auto next = std::ranges::upper_bound(begins, size);
    const auto packets = static_cast<std::size_t>(next - begins.begin()) - 1;
    const std::size_t begun = begins.at(packets);
    Got end{};
    ASSERT_EQ(Count(file, end), packets) << size;
    ASSERT_EQ(end, begun == size ? Got::kEnd : Got::kFault) << size;
    if (end == Got::kFault) {
      EXPECT_THAT(file.fault(), StartsWith(Path("cut") + " is broken at offset " + std::to_string(begun) + ": "));
    }
  }
}

TEST_F(CaptureTest, WhatIsNoneIsToldByName) {
  WriteAll(Path());
  const std::string whole = Read(Path());
  std::string ethernet = whole;
  ethernet[20] = 1;
  std::string swapped = whole;
  for (const std::size_t field : {0U, 4U, 6U, 8U, 12U, 16U, 20U}) {
    const std::size_t width = field == 4 || field == 6 ? 2 : 4;
    std::reverse(swapped.begin() + static_cast<std::ptrdiff_t>(field),
                 swapped.begin() + static_cast<std::ptrdiff_t>(field + width));
  }
  struct Row {
    const char* name;
    std::string bytes;
    const char* fault;
  };
  const std::vector<Row> rows = {
      {"empty", "", " is no capture: truncated dump file; tried to read 4 file header bytes, only got 0; record one"},
      {"a text", "This is a text.\n",
       " is no capture: unknown file format; record one with: procevent_exporter record FILE"},
      {"a head alone", whole.substr(0, 20), " is no capture: truncated dump file; tried to read 24 file header bytes"},
      {"ethernet", ethernet, " is a capture of link type EN10MB, 1, not of NETLINK, 253; record one with:"},
      {"swapped", swapped, " was recorded on a machine of the other byte order: use it on one like that"},
  };
  for (const Row& row : rows) {
    Write(Path("other"), row.bytes);
    EXPECT_THAT(WhyNot(Path("other")), StartsWith(Path("other") + row.fault)) << row.name;
  }
  EXPECT_EQ(WhyNot(Path("missing")), "cannot open the capture " + Path("missing") +
                                         ": No such file or directory; give the path of a file that may be read");
  EXPECT_THAT(WhyNot(directory_), HasSubstr("Is a directory"));
}

TEST_F(CaptureTest, APacketThatIsNotOfNetlinkIsAFault) {
  WriteAll(Path());
  std::string bytes = Read(Path());
  bytes[kFileHeader + kPacketHeader + 3] = 1;
  Write(Path(), bytes);
  CaptureFile file(Path());
  Got end{};
  EXPECT_EQ(Count(file, end), 0U);
  EXPECT_EQ(end, Got::kFault);
  EXPECT_EQ(file.fault(), Path() + " is broken at offset 24: the packet has no netlink header");
}

TEST_F(CaptureTest, APacketThatWasCutAtItsCaptureIsAFault) {
  WriteAll(Path());
  std::string bytes = Read(Path());
  bytes[kFileHeader + 12] = 120;  // of 92
  Write(Path(), bytes);
  CaptureFile file(Path());
  Got end{};
  EXPECT_EQ(Count(file, end), 0U);
  EXPECT_EQ(file.fault(), Path() +
                              " is broken at offset 24: the packet was cut when it was captured (92 of 120 bytes); " +
                              "capture whole packets");
}

TEST_F(CaptureTest, WhatAFileHeldIsLostWithTheFirstPacketOnly) {
  Write(Path(), "precious");
  std::filesystem::permissions(Path(), std::filesystem::perms(0644));
  {
    CaptureWriter writer(Path());
    EXPECT_TRUE(writer.Finish());
  }
  EXPECT_EQ(Read(Path()), "precious");
  { const CaptureWriter writer(Path("fresh")); }
  EXPECT_FALSE(std::filesystem::exists(Path("fresh"))) << "made for nothing";
  WriteAll(Path());
  EXPECT_EQ(std::filesystem::status(Path()).permissions(), std::filesystem::perms(0600));
}

TEST_F(CaptureTest, APipeIsNoFile) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(WhyNotWritten(Path("pipe")), HasSubstr("it is a pipe: record - > " + Path("pipe") + " writes to it"));
  try {
    const StoredCapture capture(Path("pipe"));
    ADD_FAILURE() << "a pipe cannot be read twice";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), Path("pipe") + " is no regular file: a capture is read twice, so give one on a disk");
  }
}

// Nobody reads the pipe: who hurries gives up, and says so.
TEST_F(CaptureTest, AFullPipeHoldsNobodyUpWhoHurries) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const OwnedFd reading(ends[0]);
  const OwnedFd saved(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  ASSERT_EQ(::dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
  ::close(ends[1]);
  {
    CaptureWriter writer("-");
    ASSERT_EQ(::dup2(saved.get(), STDOUT_FILENO), STDOUT_FILENO);
    writer.LimitPipeWait();
    for (int i = 0; i < 2000 && !writer.failed(); ++i) {
      writer.Write(1, kConnectorFamily, Payload(76));
    }
    EXPECT_TRUE(writer.failed());
    EXPECT_EQ(writer.Finish().error().code, ETIMEDOUT);
  }
}

TEST_F(CaptureTest, AStoredOneIsReadAgainAndAgainWhateverStandsInItsPlace) {
  WriteAll(Path());
  const StoredCapture capture(Path());
  Write(Path("other"), "another");
  std::filesystem::rename(Path("other"), Path());
  for (int round = 0; round < 3; ++round) {
    CaptureFile file = capture.Open();
    Got end{};
    EXPECT_EQ(Count(file, end), kPackets.size());
    EXPECT_EQ(end, Got::kEnd);
    EXPECT_FALSE(capture.changed());
  }
}

// In a process of its own: the limit is for all files.
int WriteAgainstALimit(const std::string& path, rlim_t limit) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit files{limit, limit};
  if (::setrlimit(RLIMIT_FSIZE, &files) != 0) {
    return 2;
  }
  CaptureWriter writer(path);
  for (int i = 0; i < 10'000; ++i) {
    writer.Write(1, kConnectorFamily, Payload(76));
  }
  const Status written = writer.Finish();
  const bool told = !written && writer.failed() && written.error().code == EFBIG;
  return told && writer.bytes() == std::filesystem::file_size(path) ? 0 : 1;
}

// Where the disk is full, what was written before is whole.
TEST_F(CaptureTest, WhatWasWrittenBeforeTheDiskWasFullIsReadable) {
  constexpr std::size_t kPacketBytes = kPacketHeader + kCookedHeaderBytes + 76;
  for (const rlim_t limit : {24U, 25U, 131U, 132U, 4096U, 100'001U}) {
    const std::string path = Path(std::to_string(limit));
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(WriteAgainstALimit(path, limit));
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << limit;
    CaptureFile file(path);
    Got end{};
    EXPECT_EQ(Count(file, end), (limit - kFileHeader) / kPacketBytes) << limit;
    EXPECT_EQ(end, Got::kEnd) << limit;
  }
}

TEST_F(CaptureTest, WhereNothingCanBeWrittenItIsSaidAtOnce) {
  constexpr const char* kRemedy = "; give the path of a file that may be written, on a disk with room";
  EXPECT_EQ(WhyNotWritten(directory_),
            "cannot write the capture " + directory_.string() + ": Is a directory" + kRemedy);
  EXPECT_EQ(WhyNotWritten(Path("no/such")),
            "cannot write the capture " + Path("no/such") + ": No such file or directory" + kRemedy);
}

TEST_F(CaptureTest, AFullDiskIsToldAtTheEnd) {
  CaptureWriter writer("/dev/full");
  writer.Write(1, kConnectorFamily, Payload(76));
  writer.Flush();
  EXPECT_TRUE(writer.failed());
  EXPECT_EQ(writer.Finish().error().code, ENOSPC);
}

}  // namespace
}  // namespace procevent

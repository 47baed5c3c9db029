// Writing and reading captures: complete, truncated, foreign and failing ones.
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

#include "core/base/fatal_error.h"
#include "core/protocol/capture_packet.h"
#include "core/sources/capture/capture_file.h"
#include "core/sources/capture/capture_writer.h"

namespace procevent {
namespace {

using testing::AllOf;
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

  // Counts the readable packets. `end` is the final result.
  static std::size_t Count(CaptureFile& file, Status& end) {
    std::size_t count = 0;
    auto packet = file.Read();
    for (; packet && packet.value(); packet = file.Read()) {
      ++count;
    }
    end = packet ? Status(Success{}) : packet.error();
    return count;
  }

  static CaptureFile OpenFile(const std::string& path) { return ValueOrThrow(CaptureFile::Open(path)); }

  static std::string ReadError(const std::string& path) {
    const auto opened = CaptureFile::Open(path);
    return opened ? "no error" : Describe(opened.error());
  }

  static std::string WriteError(const std::string& path) {
    try {
      const CaptureWriter writer(path);
    } catch (const FatalError& error) {
      return Describe(error.error());
    }
    return "no error";
  }

  std::filesystem::path directory_;
};

TEST_F(CaptureTest, ReadsWhatWasWritten) {
  WriteAll(Path());
  CaptureFile file = OpenFile(Path());
  for (const Packet& written : kPackets) {
    const auto packet = file.Read();
    ASSERT_TRUE(packet && packet.value());
    EXPECT_EQ(packet.value()->time_ns, written.time_ns);
    const std::vector<std::byte> payload = Payload(written.size);
    EXPECT_EQ(packet.value()->content, written.family == kConnectorFamily ? PacketContent(ConnectorDatagram{payload})
                                                                          : PacketContent(ForeignPacket{}));
  }
  const auto end = file.Read();
  EXPECT_TRUE(end && !end.value());
}

TEST_F(CaptureTest, RestrictsFileToOwner) {
  WriteAll(Path());
  EXPECT_EQ(std::filesystem::status(Path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

// At every truncation, the earlier packets are readable and the error names the offset.
TEST_F(CaptureTest, ReportsOffsetOfTruncation) {
  WriteAll(Path());
  const std::string bytes = Read(Path());
  std::vector<std::size_t> offsets{kFileHeader};
  for (const Packet& packet : kPackets) {
    offsets.push_back(offsets.back() + kPacketHeader + kCookedHeaderBytes + packet.size);
  }
  ASSERT_EQ(offsets.back(), bytes.size());
  for (std::size_t size = kFileHeader; size < bytes.size(); ++size) {
    Write(Path("truncated"), bytes.substr(0, size));
    CaptureFile file = OpenFile(Path("truncated"));
    const auto next = std::ranges::upper_bound(offsets, size);
    const auto packets = static_cast<std::size_t>(next - offsets.begin()) - 1;
    const std::size_t offset = offsets.at(packets);
    Status end = Success{};
    ASSERT_EQ(Count(file, end), packets) << size;
    ASSERT_EQ(end.ok(), offset == size) << size;
    if (!end) {
      EXPECT_EQ(end.error().object, Path("truncated") + " at offset " + std::to_string(offset));
    }
  }
}

TEST_F(CaptureTest, RejectsOtherFilesWithCause) {
  WriteAll(Path());
  const std::string bytes = Read(Path());
  std::string ethernet = bytes;
  ethernet[20] = 1;
  std::string swapped = bytes;
  for (const std::size_t field : {0U, 4U, 6U, 8U, 12U, 16U, 20U}) {
    const std::size_t width = field == 4 || field == 6 ? 2 : 4;
    std::reverse(swapped.begin() + static_cast<std::ptrdiff_t>(field),
                 swapped.begin() + static_cast<std::ptrdiff_t>(field + width));
  }
  struct Row {
    const char* name;
    std::string bytes;
    std::vector<const char*> parts;
  };
  const std::vector<Row> rows = {
      {"empty", "", {"it is empty; record one with: procevent_exporter record FILE"}},
      {"text", "This is a text.\n", {"unknown file format", "procevent_exporter record FILE"}},
      {"partial header", bytes.substr(0, 20), {"truncated dump file; tried to read 24 file header bytes"}},
      {"ethernet", ethernet, {"link type", "EN10MB (1)", "NETLINK (253)", "record FILE"}},
      {"swapped", swapped, {"byte order"}},
  };
  for (const Row& row : rows) {
    Write(Path("other"), row.bytes);
    const std::string error = ReadError(Path("other"));
    EXPECT_THAT(error, StartsWith("cannot read the capture " + Path("other") + ": ")) << row.name;
    for (const char* part : row.parts) {
      EXPECT_THAT(error, HasSubstr(part)) << row.name;
    }
  }
  EXPECT_THAT(ReadError(Path("missing")),
              StartsWith("cannot open the capture " + Path("missing") + ": No such file or directory; "));
  EXPECT_THAT(ReadError(directory_), HasSubstr("Is a directory"));
}

TEST_F(CaptureTest, RejectsPacketWithoutNetlinkHeader) {
  WriteAll(Path());
  std::string bytes = Read(Path());
  bytes[kFileHeader + kPacketHeader + 3] = 1;
  Write(Path(), bytes);
  CaptureFile file = OpenFile(Path());
  Status end = Success{};
  EXPECT_EQ(Count(file, end), 0U);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().object, Path() + " at offset 24");
  EXPECT_THAT(end.error().cause.text, HasSubstr("netlink header"));
}

TEST_F(CaptureTest, RejectsPacketTruncatedAtCapture) {
  WriteAll(Path());
  std::string bytes = Read(Path());
  bytes[kFileHeader + 12] = 120;  // the packet has 92
  Write(Path(), bytes);
  CaptureFile file = OpenFile(Path());
  Status end = Success{};
  EXPECT_EQ(Count(file, end), 0U);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().object, Path() + " at offset 24");
  EXPECT_EQ(end.error().details, "92 of 120 bytes");
  EXPECT_THAT(Describe(end.error()), AllOf(HasSubstr("truncated packet"), HasSubstr("complete packets")));
}

TEST_F(CaptureTest, ReplacesExistingFileOnlyWithFirstPacket) {
  Write(Path(), "existing content");
  std::filesystem::permissions(Path(), std::filesystem::perms(0644));
  {
    CaptureWriter writer(Path());
    EXPECT_TRUE(writer.Finish());
  }
  EXPECT_EQ(Read(Path()), "existing content");
  { const CaptureWriter writer(Path("fresh")); }
  EXPECT_FALSE(std::filesystem::exists(Path("fresh"))) << "a new file without a packet is removed";
  WriteAll(Path());
  EXPECT_EQ(std::filesystem::status(Path()).permissions(), std::filesystem::perms(0600));
}

TEST_F(CaptureTest, RejectsPipePath) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(WriteError(Path("pipe")), AllOf(HasSubstr("it is a pipe"), HasSubstr("record - > ")));
  const auto capture = StoredCapture::Open(Path("pipe"));
  ASSERT_FALSE(capture) << "opened a pipe";
  EXPECT_EQ(capture.error().object, Path("pipe"));
  EXPECT_EQ(capture.error().cause.text, "not a regular file");
}

// Nothing reads the pipe. With a limited wait the writer fails with ETIMEDOUT.
TEST_F(CaptureTest, FailsOnFullPipeWithLimitedWait) {
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
    EXPECT_EQ(writer.Finish().error().cause.code, ETIMEDOUT);
  }
}

TEST_F(CaptureTest, RereadsStoredCaptureAfterPathIsReplaced) {
  WriteAll(Path());
  const StoredCapture capture = ValueOrThrow(StoredCapture::Open(Path()));
  Write(Path("other"), "other content");
  std::filesystem::rename(Path("other"), Path());
  for (int round = 0; round < 3; ++round) {
    CaptureFile file = ValueOrThrow(capture.StartReading());
    Status end = Success{};
    EXPECT_EQ(Count(file, end), kPackets.size());
    EXPECT_TRUE(end);
    EXPECT_FALSE(capture.changed());
  }
}

// Runs in its own process, because RLIMIT_FSIZE applies to all files.
int WriteWithSizeLimit(const std::string& path, rlim_t limit) {
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
  const bool reported = !written && writer.failed() && written.error().cause.code == EFBIG;
  return reported && writer.bytes() == std::filesystem::file_size(path) ? 0 : 1;
}

// A size limit stands in for a full disk.
TEST_F(CaptureTest, KeepsPacketsWrittenBeforeDiskIsFull) {
  constexpr std::size_t kPacketBytes = kPacketHeader + kCookedHeaderBytes + 76;
  for (const rlim_t limit : {24U, 25U, 131U, 132U, 4096U, 100'001U}) {
    const std::string path = Path(std::to_string(limit));
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(WriteWithSizeLimit(path, limit));
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << limit;
    CaptureFile file = OpenFile(path);
    Status end = Success{};
    EXPECT_EQ(Count(file, end), (limit - kFileHeader) / kPacketBytes) << limit;
    EXPECT_TRUE(end) << limit;
  }
}

TEST_F(CaptureTest, ReportsUnwritablePathOnOpen) {
  EXPECT_THAT(WriteError(directory_),
              StartsWith("cannot write the capture " + directory_.string() + ": Is a directory; "));
  EXPECT_THAT(WriteError(Path("no/such")),
              AllOf(StartsWith("cannot write the capture " + Path("no/such") + ": No such file or directory; "),
                    HasSubstr("writable")));
}

TEST_F(CaptureTest, FinishReportsFullDisk) {
  CaptureWriter writer("/dev/full");
  writer.Write(1, kConnectorFamily, Payload(76));
  writer.Flush();
  EXPECT_TRUE(writer.failed());
  EXPECT_EQ(writer.Finish().error().cause.code, ENOSPC);
}

}  // namespace
}  // namespace procevent

#include "cmd/capture/line_input.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/file_descriptor.h"

namespace procevent {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Pipe {
  Pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) == 0) {
      read_end.Reset(fds[0]);
      write_end.Reset(fds[1]);
    }
  }
  void Write(const std::string& text) const {
    ASSERT_EQ(::write(write_end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  OwnedFd read_end;
  OwnedFd write_end;
};

// The lines that can be returned without reading, each as "NUMBER:TEXT".
std::vector<std::string> AvailableLines(LineInput& input) {
  std::vector<std::string> lines;
  for (std::string_view line; input.Next(line);) {
    const std::string text = input.too_long() ? "too long" : std::string(line);
    lines.push_back(std::to_string(input.number()) + ':' + text);
  }
  return lines;
}

std::vector<std::string> LinesOf(const std::string& text) {
  const std::string path = testing::TempDir() + "procevent_line_input_test";
  std::ofstream(path, std::ios::binary) << text;
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ::unlink(path.c_str());
  LineInput input(file.get());
  std::vector<std::string> lines;
  do {
    const std::vector<std::string> available = AvailableLines(input);
    lines.insert(lines.end(), available.begin(), available.end());
  } while (input.ReadMore());
  EXPECT_EQ(input.read_errno(), 0);
  return lines;
}

TEST(LineInputTest, SplitsLines) {
  EXPECT_THAT(LinesOf(""), IsEmpty());
  EXPECT_THAT(LinesOf("a\nb\n"), ElementsAre("1:a", "2:b"));
  EXPECT_THAT(LinesOf("a\nb"), ElementsAre("1:a", "2:b")) << "the last line needs no newline";
  EXPECT_THAT(LinesOf("\n\n a b \t\r\n"), ElementsAre("1:", "2:", "3:a b")) << "surrounding blanks are removed";
}

TEST(LineInputTest, AcceptsTheLongestLine) {
  const std::string longest(LineInput::kMaxBytes, 'a');
  EXPECT_THAT(LinesOf(longest + "\nb\n"), ElementsAre("1:" + longest, "2:b"));
  EXPECT_THAT(LinesOf(longest), ElementsAre("1:" + longest));
}

TEST(LineInputTest, SkipsLinesThatAreTooLong) {
  const std::string long_line(LineInput::kMaxBytes + 1, 'a');
  EXPECT_THAT(LinesOf(long_line + "\nb\n"), ElementsAre("1:too long", "2:b"));
  EXPECT_THAT(LinesOf("b\n" + long_line), ElementsAre("1:b", "2:too long"));
  const std::string longer(9 * LineInput::kMaxBytes, 'a');
  EXPECT_THAT(LinesOf(longer + "\nb\n" + longer + "\n\nc"),
              ElementsAre("1:too long", "2:b", "3:too long", "4:", "5:c"));
  EXPECT_THAT(LinesOf(longer), ElementsAre("1:too long"));
}

TEST(LineInputTest, ReturnsCompleteLinesBeforeReading) {
  const Pipe pipe;
  LineInput input(pipe.read_end.get());
  EXPECT_THAT(AvailableLines(input), IsEmpty());
  pipe.Write("a\nb\nbeg");
  ASSERT_TRUE(input.ReadMore());
  EXPECT_THAT(AvailableLines(input), ElementsAre("1:a", "2:b"));
  pipe.Write("un\n");
  ASSERT_TRUE(input.ReadMore());
  EXPECT_THAT(AvailableLines(input), ElementsAre("3:begun"));
}

TEST(LineInputTest, ReportsTheReadErrno) {
  const OwnedFd folder(::open(".", O_RDONLY | O_CLOEXEC));
  LineInput input(folder.get());
  EXPECT_FALSE(input.ReadMore());
  EXPECT_EQ(input.read_errno(), EISDIR);
  EXPECT_FALSE(input.ReadMore());
}

TEST(HexTest, RoundTripsAllBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    all += {kDigits[static_cast<std::size_t>(i / 16)], kDigits[static_cast<std::size_t>(i % 16)]};
  }
  const auto bytes = DecodeHex(all);
  ASSERT_TRUE(bytes);
  for (std::size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(std::to_integer<std::size_t>(bytes->at(i)), i);
  }
  EXPECT_EQ(EncodeHex(*bytes), all);
  EXPECT_EQ(DecodeHex("0aFf"), DecodeHex("0AfF"));
  EXPECT_EQ(DecodeHex(""), Bytes());
}

TEST(HexTest, RejectsInvalidDigits) {
  for (const char* const text : {"0", "000", "0g", "g0", "0x00", "00 00", " 00", "00\n", "+0", "é0"}) {
    EXPECT_EQ(DecodeHex(text), std::nullopt) << text;
  }
}

}  // namespace

}  // namespace procevent

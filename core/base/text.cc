#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

namespace procevent {
namespace {

constexpr std::array<std::string_view, 32> kSignalNames{
    "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

std::uint8_t ByteAt(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

std::string Escape(std::string_view text, std::size_t limit, bool quoted) {
  std::string out;
  while (!text.empty()) {
    const bool needs_backslash = quoted && (text[0] == '"' || text[0] == '\\');
    const PrintablePiece piece(text);
    if (out.size() + piece.view().size() > limit) {
      return out + "...";
    }
    out += needs_backslash ? "\\" : "";
    out += piece.view();
  }
  return out;
}

}  // namespace

std::size_t Utf8Length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const std::uint8_t lead = ByteAt(text, 0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return 0;
  }
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((ByteAt(text, i) & 0xC0U) != 0x80) {
      return 0;
    }
  }
  const char32_t point = CodePoint(text, length);
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return overlong || surrogate || point > 0x10FFFF ? 0 : length;
}

std::size_t FindInvalidUtf8(std::string_view text) {
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t length = Utf8Length(text.substr(position));
    if (length == 0) {
      return position;
    }
    position += length;
  }
  return std::string_view::npos;
}

char32_t CodePoint(std::string_view text, std::size_t length) {
  constexpr std::array<std::uint8_t, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = ByteAt(text, 0) & kLeadBits.at(length);
  for (std::size_t i = 1; i < length; ++i) {
    point = (point << 6U) | (ByteAt(text, i) & 0x3FU);
  }
  return point;
}

bool IsPrintable(std::string_view text, std::size_t length) {
  struct Range {
    char32_t first, last;
  };
  // Control characters, Default_Ignorable_Code_Point of Unicode, line and paragraph separators, and noncharacters.
  constexpr std::array kHidden{
      Range{0x00, 0x1F},     Range{0x7F, 0x9F},       Range{0xAD, 0xAD},       Range{0x34F, 0x34F},
      Range{0x61C, 0x61C},   Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},
      Range{0x200B, 0x200F}, Range{0x2028, 0x202E},   Range{0x2060, 0x206F},   Range{0x3164, 0x3164},
      Range{0xFDD0, 0xFDEF}, Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},
      Range{0xFFF0, 0xFFFB}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF}};
  const char32_t point = CodePoint(text, length);
  const bool noncharacter = (point & 0xFFFEU) == 0xFFFEU;
  return !noncharacter && std::ranges::none_of(kHidden, [point](const Range& range) {
    return point >= range.first && point <= range.last;
  });
}

PrintablePiece::PrintablePiece(std::string_view& text) : size_(Utf8Length(text)) {
  const bool printable = size_ != 0 && IsPrintable(text, size_);
  if (printable) {
    std::ranges::copy(text.substr(0, size_), bytes_.begin());
  } else {
    const std::uint32_t byte = ByteAt(text, 0);
    bytes_ = {'\\', 'x', HexDigit(byte >> 4U), HexDigit(byte)};
    size_ = bytes_.size();
  }
  text.remove_prefix(printable ? size_ : 1);
}

std::string EscapeUnprintable(std::string_view text, std::size_t limit) { return Escape(text, limit, false); }

std::string QuotePrintable(std::string_view text, std::size_t limit) { return '"' + Escape(text, limit, true) + '"'; }

std::string SignalName(unsigned signal) {
  constexpr unsigned kRealTimeMin = 34;  // 32 and 33 are reserved by glibc
  constexpr unsigned kRealTimeMax = 64;
  if (signal >= 1 && signal < kSignalNames.size()) {
    return std::string(kSignalNames.at(signal));
  }
  if (signal >= kRealTimeMin && signal <= kRealTimeMax) {
    return signal == kRealTimeMin ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signal - kRealTimeMin);
  }
  return "SIG" + std::to_string(signal);
}

}  // namespace procevent

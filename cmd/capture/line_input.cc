#include "cmd/capture/line_input.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/text.h"

namespace procevent {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string EncodeHex(std::span<const std::byte> bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    hex += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    hex += kDigits[std::to_integer<std::size_t>(byte & std::byte{0xF})];
  }
  return hex;
}

std::optional<Bytes> DecodeHex(std::string_view digits) {
  Bytes bytes;
  bytes.reserve(digits.size() / 2);
  for (; digits.size() >= 2; digits.remove_prefix(2)) {
    const std::size_t high = kDigits.find(ToLowerAscii(digits[0]));
    const std::size_t low = kDigits.find(ToLowerAscii(digits[1]));
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(high << 4U | low));
  }
  return digits.empty() ? std::optional(std::move(bytes)) : std::nullopt;
}

namespace {

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : line.substr(first, line.find_last_not_of(kBlanks) + 1 - first);
}

ssize_t ReadSome(int fd, char* to, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, to, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

bool LineInput::Next(std::string_view& line) {
  const std::size_t end = text_.find('\n', next_);
  if (end == std::string::npos) {
    return false;
  }
  line = Trimmed(std::string_view(text_).substr(next_, end - next_));
  too_long_ = std::exchange(skipping_, false) || line.size() > kMaxBytes;
  next_ = end + 1;
  ++number_;
  return true;
}

bool LineInput::ReadMore() {
  constexpr std::size_t kChunk = 64U << 10U;
  if (ended_) {
    return false;
  }
  text_.erase(0, std::exchange(next_, 0));
  if (text_.size() > kMaxBytes) {
    text_.clear();
    skipping_ = true;
  }
  const std::size_t begun = text_.size();
  text_.resize(begun + kChunk);
  const ssize_t got = ReadSome(fd_, text_.data() + begun, kChunk);
  fault_ = got < 0 ? errno : 0;
  ended_ = got <= 0;
  text_.resize(begun + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (!ended_) {
    return true;
  }
  if (fault_ != 0 || (begun == 0 && !skipping_)) {
    return false;
  }
  text_ += '\n';  // which the last line lacked
  return true;
}

}  // namespace procevent

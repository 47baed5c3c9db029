#include "cmd/capture/line_input.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/text.h"

namespace procevent {

namespace {

std::string_view TrimBlanks(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : line.substr(first, line.find_last_not_of(kBlanks) + 1 - first);
}

ssize_t ReadRetrying(int fd, char* buffer, std::size_t size) {
  ssize_t count = 0;
  do {
    count = ::read(fd, buffer, size);
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

std::string EncodeHex(std::span<const std::byte> bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    AppendHex(hex, std::to_integer<std::uint32_t>(byte), 2);
  }
  return hex;
}

std::optional<Bytes> DecodeHex(std::string_view digits) {
  Bytes bytes;
  bytes.reserve(digits.size() / 2);
  for (; digits.size() >= 2; digits.remove_prefix(2)) {
    const auto byte = ParseInteger<std::uint8_t>(digits.substr(0, 2), 16);
    if (!byte) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(*byte));
  }
  return digits.empty() ? std::optional(std::move(bytes)) : std::nullopt;
}

bool LineInput::Next(std::string_view& line) {
  const std::size_t end = buffer_.find('\n', next_);
  if (end == std::string::npos) {
    return false;
  }
  line = TrimBlanks(std::string_view(buffer_).substr(next_, end - next_));
  too_long_ = std::exchange(skipping_, false) || line.size() > kMaxBytes;
  next_ = end + 1;
  ++number_;
  return true;
}

bool LineInput::ReadMore() {
  constexpr std::size_t kChunkBytes = 64U << 10U;
  if (ended_) {
    return false;
  }
  buffer_.erase(0, std::exchange(next_, 0));
  if (buffer_.size() > kMaxBytes) {
    buffer_.clear();
    skipping_ = true;
  }
  const std::size_t old_size = buffer_.size();
  buffer_.resize(old_size + kChunkBytes);
  const ssize_t count = ReadRetrying(fd_, buffer_.data() + old_size, kChunkBytes);
  read_errno_ = count < 0 ? errno : 0;
  ended_ = count <= 0;
  buffer_.resize(old_size + (count > 0 ? static_cast<std::size_t>(count) : 0));
  if (!ended_) {
    return true;
  }
  if (read_errno_ != 0 || (old_size == 0 && !skipping_)) {
    return false;
  }
  buffer_ += '\n';  // the last line has no newline of its own
  return true;
}

}  // namespace procevent

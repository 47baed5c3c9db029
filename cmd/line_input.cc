#include "cmd/line_input.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace procevent {
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
  too_long_ = std::exchange(skipping_, false) || line.size() > kMostBytes;
  next_ = end + 1;
  ++number_;
  return true;
}

bool LineInput::Fill() {
  constexpr std::size_t kChunk = 64U << 10U;
  if (ended_) {
    return false;
  }
  text_.erase(0, std::exchange(next_, 0));
  if (text_.size() > kMostBytes) {
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

#include "core/source/proc_stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace procevent {
namespace {

constexpr std::string_view kKey = "processes ";
constexpr std::string_view kRemedy =
    "without it fork events cannot be audited; mount /proc, all of it (systemd: ProcSubset=all)";

}  // namespace

void ForkCountParser::Feed(std::string_view piece) {
  for (const char character : piece) {
    if (done_) {
      return;
    }
    Feed(character);
  }
}

void ForkCountParser::Feed(char character) {
  if (at_ == At::kNumber && character >= '0' && character <= '9') {
    value_ = value_ * 10 + static_cast<std::uint64_t>(character - '0');
    any_digit_ = true;
  } else if (character == '\n') {
    done_ = at_ == At::kNumber && any_digit_;
    at_ = At::kLineStart;
    matched_ = 0;
  } else if (at_ == At::kLineStart && character == kKey[matched_]) {
    ++matched_;
    at_ = matched_ == kKey.size() ? At::kNumber : At::kLineStart;
  } else {
    at_ = At::kElsewhere;
  }
}

ProcStat::ProcStat(const char* path) : fd_(::open(path, O_RDONLY | O_CLOEXEC)), open_errno_(fd_.valid() ? 0 : errno) {}

Result<std::uint64_t> ProcStat::Forks() const {
  if (!fd_.valid()) {
    return Error{"open /proc/stat", open_errno_, kRemedy};
  }
  ForkCountParser parser;
  std::array<char, 4096> piece{};
  off_t offset = 0;
  while (!parser.forks()) {
    const ssize_t got = ::pread(fd_.get(), piece.data(), piece.size(), offset);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return Error{"read `processes` from /proc/stat", got < 0 ? errno : 0, kRemedy};
    }
    parser.Feed({piece.data(), static_cast<std::size_t>(got)});
    offset += got;
  }
  return *parser.forks();
}

}  // namespace procevent

// Prints what the reader has to say, each kind of notice a few times a minute. Serve's loop owns one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "cmd/limited_log.h"
#include "core/reader/notices.h"

namespace procevent {

LogText TextOf(const Notice& notice);

class NoticeLog {
 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Notice::Kind::kNotReplayed) + 1;

 public:
  using Say = LimitedLog<kKinds>::Say;
  // `notices` must outlive it, and are taken by nobody else.
  NoticeLog(Notices& notices, Say say) : notices_(notices), say_(say), limited_(std::move(say)) {}

  // Readable when there is something to print.
  [[nodiscard]] int fd() const { return notices_.fd(); }
  // Prints all there is, and the summaries that are due.
  void Print(std::uint64_t now_ns);
  // When Print has something to do though nothing was posted.
  [[nodiscard]] std::optional<std::uint64_t> NextDue() const { return limited_.NextDue(); }

 private:
  Notices& notices_;
  Say say_;
  LimitedLog<kKinds> limited_;
  std::uint64_t dropped_ = 0;  // by the ring, as last told
};

}  // namespace procevent

#include "cmd/notice_log.h"

namespace procevent {
namespace {

std::string KibiBytes(std::uint64_t bytes) {
  constexpr unsigned kShift = 10;
  return std::to_string(bytes >> kShift) + "KiB";
}

}  // namespace

NoticeText TextOf(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::kListening:
      return {LogLevel::kInfo,
              "listening to the kernel's process events; unheard before: " + std::to_string(notice.number) + " ms"};
    case Notice::Kind::kNotListening:
    case Notice::Kind::kFault:
      return {LogLevel::kError, Describe(notice.error)};
    case Notice::Kind::kSilence:
    case Notice::Kind::kNoNames:
    case Notice::Kind::kNoForkCount:
      return {LogLevel::kWarning, Describe(notice.error)};
    case Notice::Kind::kSmallBuffer:
      return {LogLevel::kWarning, "the receive buffer is " + KibiBytes(notice.number) + ", not the " +
                                      KibiBytes(notice.wanted) +
                                      " asked for, so bursts are lost sooner; give the process CAP_NET_ADMIN, or "
                                      "raise the sysctl net.core.rmem_max"};
    case Notice::Kind::kLost:
      return {LogLevel::kWarning,
              std::to_string(notice.number) + " events were lost: they found no room in the receive queue of " +
                  KibiBytes(notice.wanted) + "; raise source.receive_buffer, or give the exporter more CPU"};
    case Notice::Kind::kUnseen:
      return {LogLevel::kWarning, std::to_string(notice.number) +
                                      " forks were made in a silence too short to be noticed; they are in "
                                      "procevent_forks_unseen_total"};
  }
  return {};
}

void NoticeLog::Print(Notices& notices, std::uint64_t now_ns) {
  for (std::size_t key = 0; key < kKinds; ++key) {
    if (const std::uint32_t more = limit_.TakeDue(key, now_ns); more > 0) {
      const NoticeText& last = held_back_.at(key);
      say_(last.level, last.text + " (" + std::to_string(more) + " more like this)");
    }
  }
  notices.Heard();
  for (Notice notice; notices.Take(notice);) {
    const auto key = static_cast<std::size_t>(notice.kind);
    NoticeText text = TextOf(notice);
    if (limit_.Admit(key, now_ns)) {
      say_(text.level, text.text);
    } else {
      held_back_.at(key) = std::move(text);
    }
  }
  if (const std::uint64_t dropped = notices.dropped(); dropped != dropped_) {
    say_(LogLevel::kWarning, "notices that the reader had no room to leave: " + std::to_string(dropped - dropped_));
    dropped_ = dropped;
  }
}

}  // namespace procevent

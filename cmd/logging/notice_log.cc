#include "cmd/logging/notice_log.h"

#include <string>
#include <utility>

namespace procevent {

namespace {

LogMessage TextOf(RefusalReason why, std::string_view client) {
  const std::string who(client);
  return {LogLevel::kWarning,
          why == RefusalReason::kNotAllowed
              ? who + " was turned away unheard: web.allow leaves it out"
              : "a scrape by " + who +
                    " was answered 503: web.max_requests are being served; scrape less often, or from fewer places"};
}

}  // namespace

RefusalLog::RefusalLog(LogFunction say)
    : say_(std::move(say)), wake_(EventFd::MakeOrThrow()), limited_([this](LogLevel level, std::string_view text) {
        lines_.push_back({level, std::string(text)});
      }) {}

void RefusalLog::Enqueue(RefusalReason why, std::string_view client, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const bool waited = limited_.NextDue().has_value();
  limited_.Print(static_cast<std::size_t>(why), TextOf(why, client), now_ns);
  if (!lines_.empty() || !waited) {
    wake_.Signal();
  }
}

void RefusalLog::Print(std::uint64_t now_ns) {
  wake_.Clear();
  std::vector<LogMessage> lines;
  {
    const std::lock_guard lock(mutex_);
    limited_.PrintDueSummaries(now_ns);
    lines = std::exchange(lines_, {});
  }
  for (const LogMessage& line : lines) {
    say_(line.level, line.text);
  }
}

std::optional<std::uint64_t> RefusalLog::NextDue() {
  const std::lock_guard lock(mutex_);
  return limited_.NextDue();
}

namespace {

std::string KibiBytes(std::uint64_t bytes) {
  constexpr unsigned kShift = 10;
  return std::to_string(bytes >> kShift) + "KiB";
}

std::string WhyLost(std::uint64_t queue_bytes) {
  return queue_bytes == 0 ? "the kernel could not queue them, though there was room; give the machine more memory"
                          : "they found no room in the receive queue of " + KibiBytes(queue_bytes) +
                                "; raise source.receive_buffer, or give the exporter more CPU";
}

}  // namespace

LogMessage FormatNotice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::kSubscribed:
      return {LogLevel::kInfo,
              "listening to the kernel's process events; unheard before: " + std::to_string(notice.number) + " ms"};
    case Notice::Kind::kReplayFinished:
      return {LogLevel::kInfo, "the capture was replayed to its end, " + std::to_string(notice.number) +
                                   " datagrams; its numbers stay as they are"};
    case Notice::Kind::kSubscribeFailed:
    case Notice::Kind::kReplayFailed:
    case Notice::Kind::kSocketFailed:
      return {LogLevel::kError, Describe(notice.error)};
    case Notice::Kind::kCanaryMissing:
    case Notice::Kind::kProcUnreadable:
    case Notice::Kind::kForkCountUnreadable:
      return {LogLevel::kWarning, Describe(notice.error)};
    case Notice::Kind::kSmallBuffer:
      return {LogLevel::kWarning, "the receive buffer is " + KibiBytes(notice.number) + ", not the " +
                                      KibiBytes(notice.wanted) +
                                      " asked for, so bursts are lost sooner; give the process CAP_NET_ADMIN, or "
                                      "raise the sysctl net.core.rmem_max"};
    case Notice::Kind::kEventsLost:
      return {LogLevel::kWarning, std::to_string(notice.number) + " events were lost: " + WhyLost(notice.wanted)};
    case Notice::Kind::kUnseenForks:
      return {LogLevel::kWarning, std::to_string(notice.number) +
                                      " forks were made in a silence too short to be noticed; they are in "
                                      "procevent_forks_unseen_total"};
  }
  return {};
}

void NoticeLog::Print(std::uint64_t now_ns) {
  limited_.PrintDueSummaries(now_ns);
  notices_.ClearSignal();
  for (Notice notice; notices_.TryPop(notice);) {
    limited_.Print(static_cast<std::size_t>(notice.kind), FormatNotice(notice), now_ns);
  }
  if (const std::uint64_t dropped = notices_.dropped(); dropped != dropped_) {
    say_(LogLevel::kWarning, "notices that the reader had no room to leave: " + std::to_string(dropped - dropped_));
    dropped_ = dropped;
  }
}

}  // namespace procevent

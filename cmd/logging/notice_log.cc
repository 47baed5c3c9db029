#include "cmd/logging/notice_log.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "core/reader/snapshot_exchange.h"

namespace procevent {

namespace {

constexpr std::array<std::string_view, kRefusalReasons> kRefusalTexts{
    "connection refused: the address is not in web.allow; add it if it may connect",
    "scrape refused with 503: web.max_requests scrapes are in progress; raise web.max_requests, or scrape less often",
    "scrape refused with 503: clients that do not read their pages hold too much memory; restrict clients by "
    "web.allow"};

LogMessage FormatRefusal(RefusalReason reason, std::string_view client) {
  return {LogLevel::kWarning,
          std::string(kRefusalTexts.at(static_cast<std::size_t>(reason))),
          {{"client", std::string(client)},
           {"reason", std::string(kRefusalReasonNames.at(static_cast<std::size_t>(reason)))}}};
}

// The line of a lost subscription. `reason` is that of procevent_subscription_restarts_total.
LogMessage FormatSubscriptionLoss(LogLevel level, const Notice& notice, RestartReason reason) {
  LogMessage message = MakeErrorMessage(level, notice.error);
  message.fields.push_back({"reason", std::string(kRestartReasonNames.at(static_cast<std::size_t>(reason)))});
  return message;
}

}  // namespace

RefusalLog::RefusalLog(LogFunction log)
    : log_(std::move(log)),
      wake_(EventFd::MakeOrThrow()),
      limited_log_([this](const LogMessage& message) { pending_.push_back(message); }) {}

void RefusalLog::Enqueue(RefusalReason reason, std::string_view client, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const bool had_due_time = limited_log_.NextDue().has_value();
  limited_log_.Print(static_cast<std::size_t>(reason), FormatRefusal(reason, client), now_ns);
  if (!pending_.empty() || !had_due_time) {
    wake_.Signal();
  }
}

void RefusalLog::Print(std::uint64_t now_ns) {
  wake_.Clear();
  std::vector<LogMessage> messages;
  {
    const std::lock_guard lock(mutex_);
    limited_log_.PrintDueSummaries(now_ns);
    messages = std::exchange(pending_, {});
  }
  for (const LogMessage& message : messages) {
    log_(message);
  }
}

std::optional<std::uint64_t> RefusalLog::NextDue() {
  const std::lock_guard lock(mutex_);
  return limited_log_.NextDue();
}

LogMessage FormatNotice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::kSubscribed:
      return {LogLevel::kInfo, "subscribed to process events", {{"unsubscribed_ms", notice.count}}};
    case Notice::Kind::kReplayFinished:
      return {LogLevel::kInfo, "replay finished; metrics keep their last values", {{"datagrams", notice.count}}};
    case Notice::Kind::kSubscribeFailed:
      return FormatSubscriptionLoss(LogLevel::kError, notice, RestartReason::kNoAck);
    case Notice::Kind::kSocketFailed:
      return FormatSubscriptionLoss(LogLevel::kError, notice, RestartReason::kSocketFailed);
    case Notice::Kind::kCanaryMissing:
      return FormatSubscriptionLoss(LogLevel::kWarning, notice, RestartReason::kCanaryMissing);
    case Notice::Kind::kReplayFailed:
    case Notice::Kind::kThreadFailed:
      return MakeErrorMessage(LogLevel::kError, notice.error);
    case Notice::Kind::kSourceFailed:
    case Notice::Kind::kProcUnreadable:
    case Notice::Kind::kForkCountUnreadable:
      return MakeErrorMessage(LogLevel::kWarning, notice.error);
    case Notice::Kind::kSmallBuffer:
      return {LogLevel::kWarning,
              "receive buffer smaller than requested: bursts lose events sooner; give the process CAP_NET_ADMIN, or "
              "raise the sysctl net.core.rmem_max",
              {{"bytes", notice.count}, {"requested_bytes", notice.buffer_bytes}}};
    case Notice::Kind::kEventsLost:
      if (notice.buffer_bytes == 0) {
        return {LogLevel::kWarning,
                "events lost: the kernel could not allocate messages; give the machine more memory",
                {{"lost", notice.count}}};
      }
      return {LogLevel::kWarning,
              "events lost: receive buffer full; raise source.receive_buffer, or give the exporter more CPU",
              {{"lost", notice.count}, {"buffer_bytes", notice.buffer_bytes}}};
    case Notice::Kind::kUnseenForks:
      return {LogLevel::kWarning,
              "forks missed: the subscription was lost for a time too short to be detected; find the program that ends "
              "the subscriptions",
              {{"forks", notice.count}}};
  }
  return {};
}

void NoticeLog::Print(std::uint64_t now_ns) {
  limited_log_.PrintDueSummaries(now_ns);
  notices_.ClearSignal();
  for (Notice notice; notices_.TryPop(notice);) {
    limited_log_.Print(static_cast<std::size_t>(notice.kind), FormatNotice(notice), now_ns);
  }
  if (const std::uint64_t dropped = notices_.dropped(); dropped != reported_drops_) {
    log_({LogLevel::kWarning,
          "notices dropped: the reader's notice queue was full; give the exporter more CPU",
          {{"dropped", dropped - reported_drops_}}});
    reported_drops_ = dropped;
  }
}

}  // namespace procevent

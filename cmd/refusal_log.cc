#include "cmd/refusal_log.h"

#include <string>
#include <utility>

namespace procevent {
namespace {

LogText TextOf(Refusal why, std::string_view client) {
  const std::string who(client);
  return {LogLevel::kWarning,
          why == Refusal::kNotAllowed
              ? who + " was turned away unheard: web.allow leaves it out"
              : "a scrape by " + who +
                    " was answered 503: web.max_requests are being served; scrape less often, or from fewer places"};
}

}  // namespace

RefusalLog::RefusalLog(Say say)
    : say_(std::move(say)), wake_(Wake::MakeOrThrow()), limited_([this](LogLevel level, std::string_view text) {
        lines_.push_back({level, std::string(text)});
      }) {}

void RefusalLog::Note(Refusal why, std::string_view client, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const bool waited = limited_.NextDue().has_value();
  limited_.Print(static_cast<std::size_t>(why), TextOf(why, client), now_ns);
  if (!lines_.empty() || !waited) {
    wake_.Ring();
  }
}

void RefusalLog::Print(std::uint64_t now_ns) {
  wake_.Quiet();
  std::vector<LogText> lines;
  {
    const std::lock_guard lock(mutex_);
    limited_.PrintDue(now_ns);
    lines = std::exchange(lines_, {});
  }
  for (const LogText& line : lines) {
    say_(line.level, line.text);
  }
}

std::optional<std::uint64_t> RefusalLog::NextDue() {
  const std::lock_guard lock(mutex_);
  return limited_.NextDue();
}

}  // namespace procevent

#include "cmd/refusal_log.h"

#include <string>

namespace procevent {
namespace {

std::string TextOf(Refusal why, std::string_view client) {
  const std::string who(client);
  return why == Refusal::kNotAllowed
             ? who + " was turned away unheard: web.allow leaves it out"
             : "a scrape by " + who +
                   " was answered 503: web.max_requests are being served; scrape less often, or "
                   "from fewer places";
}

}  // namespace

void RefusalLog::Note(Refusal why, std::string_view client, std::uint64_t now_ns) {
  const auto key = static_cast<std::size_t>(why);
  std::uint32_t more = 0;
  {
    const std::lock_guard lock(mutex_);
    more = limit_.TakeDue(key, now_ns);
    if (!limit_.Admit(key, now_ns)) {
      return;
    }
  }
  say_(LogLevel::kWarning,
       TextOf(why, client) + (more == 0 ? "" : " (" + std::to_string(more) + " more since this was said last)"));
}

}  // namespace procevent

#include "exporter/http/http_handler.h"

#include <array>
#include <exception>
#include <optional>

#include "core/base/system.h"
#include "exporter/http/negotiation.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

// Holds one slot of the concurrent scrapes, if one was free.
class ScrapeSlot {
 public:
  ScrapeSlot(std::atomic<unsigned>& active, unsigned limit) : active_(active), acquired_(active.fetch_add(1) < limit) {
    if (!acquired_) {
      active_.fetch_sub(1);
    }
  }
  ScrapeSlot(const ScrapeSlot&) = delete;
  ScrapeSlot& operator=(const ScrapeSlot&) = delete;
  ScrapeSlot(ScrapeSlot&&) = delete;
  ScrapeSlot& operator=(ScrapeSlot&&) = delete;
  ~ScrapeSlot() {
    if (acquired_) {
      active_.fetch_sub(1);
    }
  }
  [[nodiscard]] bool acquired() const { return acquired_; }

 private:
  std::atomic<unsigned>& active_;
  bool acquired_;
};

bool IsGetOrHead(std::string_view method) { return method == "GET" || method == "HEAD"; }

ResponsePart PartFor(std::string_view method) { return method == "HEAD" ? ResponsePart::kHead : ResponsePart::kWhole; }

// The status line and the headers.
std::string SerializeHead(std::string_view status, std::string_view type, std::size_t body_bytes,
                          std::string_view extra_headers) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body_bytes) +
         "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n" + std::string(extra_headers) + "\r\n";
}

std::string SerializeScrapeHead(const ScrapeBody& body, TextFormat format, ContentEncoding encoding) {
  return SerializeHead("200 OK", ContentType(format), body.size(encoding),
                       encoding == ContentEncoding::kGzip
                           ? "Content-Encoding: gzip\r\nVary: Accept, Accept-Encoding\r\n"
                           : "Vary: Accept, Accept-Encoding\r\n");
}

Response MakeErrorPage(const std::exception& error) {
  return {"500 Internal Server Error", kPlainText, "cannot make page: " + std::string(error.what()) + "\n", {}};
}

std::string EscapeHtml(std::string_view text) {
  constexpr std::string_view kSpecial = "&<>\"'";
  constexpr std::array<std::string_view, kSpecial.size()> kEntities{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  std::string html;
  for (const char c : text) {
    const std::size_t special = kSpecial.find(c);
    html += special == std::string_view::npos ? std::string_view(&c, 1) : kEntities.at(special);
  }
  return html;
}

}  // namespace

std::string Serialize(const Response& response, ResponsePart part) {
  std::string bytes = SerializeHead(response.status, response.type, response.body.size(), response.extra_headers);
  if (part == ResponsePart::kWhole) {
    bytes += response.body;
  }
  return bytes;
}

void HttpHandler::Serve(const Request& request, const SendFunction& send) {
  if (request.path == telemetry_path_ && IsGetOrHead(request.method)) {
    ServeScrape(request, send);
  } else {
    send(Serialize(MakeResponse(request), PartFor(request.method)));
  }
}

void HttpHandler::ServeScrape(const Request& request, const SendFunction& send) {
  const std::uint64_t asked_ns = MonotonicNanos();
  const ResponsePart part = PartFor(request.method);
  std::optional<ScrapeSlot> slot(std::in_place, active_scrapes_, max_requests_);
  if (!slot->acquired()) {
    send(Serialize(RefuseScrape(RefusalReason::kTooManyScrapes, request.client), part));
    return;
  }
  std::optional<ScrapeBodyReader> body;
  std::uint64_t page = 0;
  std::string first;
  try {
    const ContentEncoding encoding = NegotiateEncoding(request.accept_encoding);
    const TextFormat format = NegotiateFormat(request.accept);
    if (const auto shared = scrapes_.Get(asked_ns, format)) {
      first = SerializeScrapeHead(*shared, format, encoding);
      body.emplace(shared, encoding);
      page = shared->page().number;
      first += part == ResponsePart::kWhole ? body->Next() : std::string_view();
    }
  } catch (const std::exception& error) {
    slot.reset();
    send(Serialize(MakeErrorPage(error), part));
    return;
  }
  if (!body) {
    slot.reset();
    send(Serialize(RefuseScrape(RefusalReason::kSlowClients, request.client), part));
    return;
  }
  std::string_view piece = first;
  while (part == ResponsePart::kWhole && body->unread_bytes() > 0) {
    if (!send(piece)) {
      return;
    }
    piece = body->Next();
  }
  slot.reset();
  if (send(piece) && part == ResponsePart::kWhole) {
    sent_(page);
  }
}

Response HttpHandler::RefuseScrape(RefusalReason reason, std::string_view client) {
  refusals_.Record(reason, client);
  const std::string text =
      reason == RefusalReason::kSlowClients
          ? "slow clients have not read their pages yet, which take too much memory; scrape again, with gzip\n"
          : "too many scrapes at once: the limit is " + std::to_string(max_requests_) +
                "; raise web.max_requests, or scrape less often\n";
  return {"503 Service Unavailable", kPlainText, text, "Retry-After: 1\r\n"};
}

Response HttpHandler::MakeResponse(const Request& request) {
  try {
    return Route(request);
  } catch (const std::exception& error) {
    return MakeErrorPage(error);
  }
}

Response HttpHandler::Route(const Request& request) {
  const bool known = request.path == "/" || request.path == "/-/healthy" || request.path == "/-/ready";
  if (!known && request.path != telemetry_path_) {
    return {"404 Not Found", kPlainText, "no such page; metrics are at " + telemetry_path_ + "\n", {}};
  }
  if (!IsGetOrHead(request.method)) {
    return {"405 Method Not Allowed", kPlainText, "method not allowed; use GET or HEAD\n", "Allow: GET, HEAD\r\n"};
  }
  if (request.path == "/") {
    return {"200 OK", "text/html; charset=utf-8", MakeLandingPage(), {}};
  }
  if (request.path == "/-/healthy") {
    return {"200 OK", kPlainText, "healthy\n", {}};
  }
  if (const Status receiving = status_().receiving; !receiving) {
    return {"503 Service Unavailable", kPlainText, "not ready: " + Describe(receiving.error()) + "\n",
            "Retry-After: 1\r\n"};
  }
  return {"200 OK", kPlainText, "ready\n", {}};
}

std::string HttpHandler::MakeLandingPage() const {
  const std::string path = EscapeHtml(telemetry_path_);
  const SubscriptionStatus status = status_();
  const std::string summary = !status.receiving ? "Not ready: " + Describe(status.receiving.error())
                              : status.replayed
                                  ? "Ready: replaying a capture; the metrics are those of the recorded machine"
                                  : "Ready: receiving process events from the kernel";
  return "<!doctype html>\n<html lang=\"en\">\n<head><title>procevent_exporter</title></head>\n<body>\n"
         "<h1>procevent_exporter " +
         EscapeHtml(Version()) + "</h1>\n<p>" + EscapeHtml(Description()) + "</p>\n<p>" + EscapeHtml(summary) +
         "</p>\n" + (status.losses.empty() ? "" : "<p>Since start: " + EscapeHtml(status.losses) + "</p>\n") +
         "<ul>\n<li><a href=\"" + path + "\">" + path +
         "</a>: metrics</li>\n"
         "<li><a href=\"/-/healthy\">/-/healthy</a>: liveness, 200 while the process runs</li>\n"
         "<li><a href=\"/-/ready\">/-/ready</a>: readiness, 200 while process events are received</li>\n"
         "</ul>\n</body>\n</html>\n";
}

}  // namespace procevent

#include "exporter/http/http_handler.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

// Holds one slot of the concurrent scrapes, if one was free.
class ScrapeSlot {
 public:
  ScrapeSlot(std::atomic<unsigned>& active, unsigned limit) : active_(active), acquired_(active.fetch_add(1) < limit) {}
  ScrapeSlot(const ScrapeSlot&) = delete;
  ScrapeSlot& operator=(const ScrapeSlot&) = delete;
  ScrapeSlot(ScrapeSlot&&) = delete;
  ScrapeSlot& operator=(ScrapeSlot&&) = delete;
  ~ScrapeSlot() { active_.fetch_sub(1); }
  [[nodiscard]] bool acquired() const { return acquired_; }

 private:
  std::atomic<unsigned>& active_;
  bool acquired_;
};

Response MakeTooManyScrapes(unsigned limit) {
  return {"503 Service Unavailable", kPlainText,
          "too many scrapes at once: the limit is " + std::to_string(limit) +
              "; raise web.max_requests, or scrape less often\n",
          "Retry-After: 1\r\n"};
}

std::string EscapeHtml(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace

std::string Serialize(const Response& response, ResponsePart part) {
  std::string bytes = "HTTP/1.1 " + std::string(response.status) + "\r\nContent-Type: " + std::string(response.type) +
                      "\r\nContent-Length: " + std::to_string(response.body.size()) +
                      "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n" +
                      std::string(response.extra_headers) + "\r\n";
  if (part == ResponsePart::kWhole) {
    bytes += response.body;
  }
  return bytes;
}

void HttpHandler::Serve(const Request& request, const SendFunction& send) {
  constexpr std::size_t kLastPieceBytes = 65536;
  std::optional<ScrapeSlot> slot;
  if (request.path == telemetry_path_) {
    slot.emplace(active_scrapes_, max_requests_);
  }
  const bool served = !slot || slot->acquired();
  if (!served) {
    refusals_.Record(RefusalReason::kTooManyScrapes, request.client);
  }
  // A temporary Response is freed before a slow client receives the bytes.
  const std::string bytes = Serialize(served ? MakeResponse(request) : MakeTooManyScrapes(max_requests_),
                                      request.method == "HEAD" ? ResponsePart::kHead : ResponsePart::kWhole);
  const std::string_view whole = bytes;
  const std::size_t first_bytes = whole.size() - std::min(whole.size(), kLastPieceBytes);
  if (first_bytes == 0 || send(whole.substr(0, first_bytes))) {
    slot.reset();
    send(whole.substr(first_bytes));
  }
}

Response HttpHandler::MakeResponse(const Request& request) {
  try {
    return Route(request);
  } catch (const std::exception& error) {
    return {"500 Internal Server Error", kPlainText, "cannot make page: " + std::string(error.what()) + "\n", {}};
  }
}

Response HttpHandler::Route(const Request& request) {
  const bool known = request.path == "/" || request.path == "/-/healthy" || request.path == "/-/ready";
  if (!known && request.path != telemetry_path_) {
    return {"404 Not Found", kPlainText, "no such page; metrics are at " + telemetry_path_ + "\n", {}};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {"405 Method Not Allowed", kPlainText, "method not allowed; use GET or HEAD\n", "Allow: GET, HEAD\r\n"};
  }
  if (request.path == telemetry_path_) {
    return MakeMetricsPage(request.accept_encoding);
  }
  if (request.path == "/") {
    return {"200 OK", "text/html; charset=utf-8", MakeLandingPage(), {}};
  }
  if (request.path == "/-/healthy") {
    return {"200 OK", kPlainText, "healthy\n", {}};
  }
  const std::string cause = status_().cause;
  if (!cause.empty()) {
    return {"503 Service Unavailable", kPlainText, "not ready: " + cause + "\n", "Retry-After: 1\r\n"};
  }
  return {"200 OK", kPlainText, "ready\n", {}};
}

Response HttpHandler::MakeMetricsPage(std::string_view accept_encoding) {
  constexpr std::string_view kType = "text/plain; version=0.0.4; charset=utf-8";
  const std::shared_ptr<const ScrapeBody> body = scrapes_.Get(kSnapshotTimeout);
  if (PrefersGzip(accept_encoding)) {
    if (const auto& compressed = body->gzipped()) {
      return {"200 OK", kType, *compressed, "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"};
    }
  }
  return {"200 OK", kType, body->text(), "Vary: Accept-Encoding\r\n"};
}

std::string HttpHandler::MakeLandingPage() const {
  const std::string path = EscapeHtml(telemetry_path_);
  const SubscriptionStatus status = status_();
  const std::string summary = !status.cause.empty() ? "Not ready: " + status.cause
                              : status.replayed ? "Ready: replaying a capture, so the numbers are not of this machine"
                                                : "Ready: receiving process events from the kernel";
  return "<!doctype html>\n<html lang=\"en\">\n<head><title>procevent_exporter</title></head>\n<body>\n"
         "<h1>procevent_exporter " +
         EscapeHtml(Version()) + "</h1>\n<p>" + EscapeHtml(summary) + "</p>\n" +
         (status.losses.empty() ? "" : "<p>Since start: " + EscapeHtml(status.losses) + "</p>\n") +
         "<ul>\n<li><a href=\"" + path + "\">" + path +
         "</a>: metrics</li>\n"
         "<li><a href=\"/-/healthy\">/-/healthy</a>: liveness, 200 while the process runs</li>\n"
         "<li><a href=\"/-/ready\">/-/ready</a>: readiness, 200 while process events are received</li>\n"
         "</ul>\n</body>\n</html>\n";
}

}  // namespace procevent

#include "exporter/http/http_handler.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "exporter/http/scrape_coalescer.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {
namespace {

// A place among the scrapes served at once, or none.
class ScrapeSlot {
 public:
  ScrapeSlot(std::atomic<unsigned>& taken, unsigned most) : taken_(taken), had_(taken.fetch_add(1) < most) {}
  ScrapeSlot(const ScrapeSlot&) = delete;
  ScrapeSlot& operator=(const ScrapeSlot&) = delete;
  ScrapeSlot(ScrapeSlot&&) = delete;
  ScrapeSlot& operator=(ScrapeSlot&&) = delete;
  ~ScrapeSlot() { taken_.fetch_sub(1); }
  [[nodiscard]] bool had() const { return had_; }

 private:
  std::atomic<unsigned>& taken_;
  bool had_;
};

Response TooMany(unsigned most) {
  return {"503 Service Unavailable", kPlainText,
          "too many scrapes at once: " + std::to_string(most) + " are served; scrape less often or from fewer places\n",
          "Retry-After: 1\r\n"};
}

std::string Escaped(std::string_view text) {
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

std::string Written(const Response& response, ResponsePart part) {
  std::string bytes = "HTTP/1.1 " + std::string(response.status) + "\r\nContent-Type: " + std::string(response.type) +
                      "\r\nContent-Length: " + std::to_string(response.body.size()) +
                      "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n" +
                      std::string(response.more_headers) + "\r\n";
  if (part == ResponsePart::kWhole) {
    bytes += response.body;
  }
  return bytes;
}

void HttpHandler::Serve(const Request& request, const SendFunction& send) {
  constexpr std::size_t kLastPiece = 65536;
  std::optional<ScrapeSlot> place;
  if (request.path == telemetry_path_) {
    place.emplace(scrapes_, max_requests_);
  }
  const bool served = !place || place->had();
  if (!served) {
    refusals_.Note(RefusalReason::kTooManyScrapes, request.client);
  }
  // The pieces are gone when the client, who may be slow, gets the whole.
  const std::string bytes = Written(served ? Reply(request) : TooMany(max_requests_),
                                    request.method == "HEAD" ? ResponsePart::kHead : ResponsePart::kWhole);
  const std::string_view whole = bytes;
  const std::size_t first = whole.size() - std::min(whole.size(), kLastPiece);
  if (first == 0 || send(whole.substr(0, first))) {
    place.reset();
    send(whole.substr(first));
  }
}

Response HttpHandler::Reply(const Request& request) {
  try {
    return Route(request);
  } catch (const std::exception& fault) {
    return {"500 Internal Server Error", kPlainText, "this page failed: " + std::string(fault.what()) + "\n", {}};
  }
}

Response HttpHandler::Route(const Request& request) {
  const bool page = request.path == "/" || request.path == "/-/healthy" || request.path == "/-/ready";
  if (!page && request.path != telemetry_path_) {
    return {"404 Not Found", kPlainText, "no such page; metrics are at " + telemetry_path_ + "\n", {}};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {"405 Method Not Allowed", kPlainText, "only GET and HEAD\n", "Allow: GET, HEAD\r\n"};
  }
  if (request.path == telemetry_path_) {
    return Metrics(request.accept_encoding);
  }
  if (request.path == "/") {
    return {"200 OK", "text/html; charset=utf-8", Landing(), {}};
  }
  if (request.path == "/-/healthy") {
    return {"200 OK", kPlainText, "healthy\n", {}};
  }
  const std::string cause = state_().cause;
  if (!cause.empty()) {
    return {"503 Service Unavailable", kPlainText, "not ready: " + cause + "\n", "Retry-After: 1\r\n"};
  }
  return {"200 OK", kPlainText, "ready\n", {}};
}

Response HttpHandler::Metrics(std::string_view accept_encoding) {
  constexpr std::string_view kType = "text/plain; version=0.0.4; charset=utf-8";
  const std::shared_ptr<const ScrapeBody> answer = metrics_.Get(kSnapshotTimeout);
  if (PrefersGzip(accept_encoding)) {
    if (const auto& packed = answer->gzipped()) {
      return {"200 OK", kType, *packed, "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"};
    }
  }
  return {"200 OK", kType, answer->text(), "Vary: Accept-Encoding\r\n"};
}

std::string HttpHandler::Landing() const {
  const std::string path = Escaped(telemetry_path_);
  const SubscriptionStatus state = state_();
  const std::string hearing = !state.cause.empty() ? "It does not hear the kernel: " + state.cause
                              : state.replayed     ? "It replays a capture: the numbers are not of this machine."
                                                   : "It hears the kernel's process events.";
  return "<!doctype html>\n<html lang=\"en\">\n<head><title>procevent_exporter</title></head>\n<body>\n"
         "<h1>procevent_exporter " +
         Escaped(Version()) + "</h1>\n<p>" + Escaped(hearing) + "</p>\n" +
         (state.losses.empty() ? "" : "<p>Since it started " + Escaped(state.losses) + "</p>\n") +
         "<ul>\n<li><a href=\"" + path + "\">" + path +
         "</a>: metrics</li>\n"
         "<li><a href=\"/-/healthy\">/-/healthy</a>: does it run?</li>\n"
         "<li><a href=\"/-/ready\">/-/ready</a>: does it hear the kernel?</li>\n"
         "</ul>\n</body>\n</html>\n";
}

}  // namespace procevent

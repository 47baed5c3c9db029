// Maps HTTP requests to responses: methods, paths, pages, headers, encodings and the limit of concurrent scrapes. It
// uses no sockets. The server calls it from any number of threads at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/http/scrape_coalescer.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

// The options of the HTTP server, filled in by the configuration.
struct ServerOptions {
  std::vector<std::string> listen_addresses{"0.0.0.0:13675"};  // valid for ParseListenAddress
  std::string telemetry_path = "/metrics";                     // valid for CheckTelemetryPath
  std::vector<std::string> allow;                              // valid for ParseAllowedNetwork; empty: all clients
  unsigned max_requests = 40;                                  // concurrent scrapes; others are answered 503
  unsigned first_scrapes = 1;                                  // complete ones that show a new series as 0

  bool operator==(const ServerOptions&) const = default;
};

// The parts of a request that a response depends on.
struct Request {
  std::string_view method;
  std::string_view path;  // as received, not decoded, without the query
  std::string_view accept_encoding;
  std::string_view client = {};  // IP address
  std::string_view accept = {};
};

// A response before it is serialized.
struct Response {
  std::string_view status = "200 OK";
  std::string_view type;
  std::string body;
  std::string_view extra_headers;  // each ends with CRLF
};
inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

enum class ResponsePart : std::uint8_t { kWhole, kHead };  // kHead answers HEAD requests

// The bytes of the response.
std::string Serialize(const Response& response, ResponsePart part = ResponsePart::kWhole);

// Answers requests with the metrics, the landing page, /-/healthy or /-/ready.
class HttpHandler {
 public:
  struct PageCallbacks {
    ScrapeCoalescer::Generator metrics;          // the text of a scrape
    std::function<SubscriptionStatus()> status;  // must return quickly
    // The kernel has accepted the last byte of the page with this number, for a client that requested its content.
    // Called from any number of threads at once.
    std::function<void(std::uint64_t page)> sent = [](std::uint64_t /*page*/) {};
  };
  using SendFunction = std::function<bool(std::string_view)>;  // returns false when the client accepts no more bytes

  // `refusals` must outlive the handler.
  HttpHandler(const ServerOptions& options, PageCallbacks pages, RefusedRequests& refusals)
      : telemetry_path_(options.telemetry_path),
        max_requests_(options.max_requests),
        refusals_(refusals),
        scrapes_(std::move(pages.metrics)),
        status_(std::move(pages.status)),
        sent_(std::move(pages.sent)) {}

  // Calls `send` with the response, in pieces. A scrape counts against the limit until only its last piece is unsent:
  // a client with that piece may begin its next scrape. An exception of a page becomes a 500 unless a piece is sent
  // already. Then it propagates, like one of `send`, and the connection must be closed.
  void Serve(const Request& request, const SendFunction& send);
  // Records a connection that web.allow closed before its request was read.
  void RecordClosedConnection(std::string_view client) { refusals_.Record(RefusalReason::kNotAllowed, client); }

 private:
  void ServeScrape(const Request& request, const SendFunction& send);
  [[nodiscard]] Response MakeResponse(const Request& request);
  [[nodiscard]] Response Route(const Request& request);
  [[nodiscard]] Response RefuseScrape(RefusalReason reason, std::string_view client);
  [[nodiscard]] std::string MakeLandingPage() const;

  std::string telemetry_path_;
  unsigned max_requests_;
  RefusedRequests& refusals_;
  ScrapeCoalescer scrapes_;
  std::function<SubscriptionStatus()> status_;
  std::function<void(std::uint64_t page)> sent_;
  std::atomic<unsigned> active_scrapes_{0};
};

}  // namespace procevent

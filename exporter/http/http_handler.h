// What the server answers to which request: methods, paths, pages, headers, encodings, the limit of scrapes. Knows no
// socket. The server hands every request to it, from any number of threads at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/http/scrape_coalescer.h"
#include "exporter/metrics/exporter_state.h"

namespace procevent {

// What the HTTP server can be told. The configuration fills it in.

struct ServerOptions {
  std::vector<std::string> listen_addresses{"0.0.0.0:13675"};  // as ParseListenAddress reads them
  std::string telemetry_path = "/metrics";                     // as CheckTelemetryPath allows it
  std::vector<std::string> allow;  // who may ask, as ParseAllowedNetwork reads it; empty: all
  unsigned max_requests = 40;      // scrapes served at once; more are answered 503

  bool operator==(const ServerOptions&) const = default;
};

struct Request {
  std::string_view method;
  std::string_view path;  // as it was sent, without the query
  std::string_view accept_encoding;
  std::string_view client = {};  // its address
};

struct Response {
  std::string_view status = "200 OK";
  std::string_view type;
  std::string body;
  std::string_view more_headers;  // each with its line end
};
inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

enum class ResponsePart : std::uint8_t { kWhole, kHead };
// As bytes; a HEAD request gets no more than the head.
std::string Written(const Response& response, ResponsePart part = ResponsePart::kWhole);

class HttpHandler {
 public:
  struct PageCallbacks {
    ScrapeCoalescer::Generator metrics;  // the text of a scrape
    std::function<SubscriptionStatus()> state;
  };
  using SendFunction = std::function<bool(std::string_view)>;  // false: the client takes no more

  // `refusals` must outlive it.
  HttpHandler(const ServerOptions& options, PageCallbacks pages, RefusedRequests& refusals)
      : telemetry_path_(options.telemetry_path),
        max_requests_(options.max_requests),
        refusals_(refusals),
        metrics_(std::move(pages.metrics)),
        state_(std::move(pages.state)) {}

  // Calls `send` with the response, in one or two pieces. A scrape counts against the limit until it is made, and all
  // but its last piece is sent: once the client has that it may be back at once. What a page throws becomes a 500; what
  // `send` throws goes through.
  void Serve(const Request& request, const SendFunction& send);
  // A connection that was closed before a word was heard.
  void NoteUnheard(std::string_view client) { refusals_.Note(RefusalReason::kNotAllowed, client); }

 private:
  [[nodiscard]] Response Reply(const Request& request);
  [[nodiscard]] Response Route(const Request& request);
  [[nodiscard]] Response Metrics(std::string_view accept_encoding);
  [[nodiscard]] std::string Landing() const;

  std::string telemetry_path_;
  unsigned max_requests_;
  RefusedRequests& refusals_;
  ScrapeCoalescer metrics_;
  std::function<SubscriptionStatus()> state_;
  std::atomic<unsigned> scrapes_{0};  // being served now
};

}  // namespace procevent

#include "exporter/http/http_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "exporter/metrics/exporter_state.h"
#include "tests/exporter/http/generate_text.h"
#include "tests/exporter/http/gunzip.h"

namespace procevent {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kText = "procevent_x 1\n";

class HttpHandlerTest : public testing::Test {
 protected:
  HttpHandler MakeHandler(const ServerOptions& options = {}, const SubscriptionStatus& status = {}) {
    return HttpHandler(options, {GenerateText(kText), [status] { return status; }}, refusals_);
  }

  std::string refused_clients_;
  RefusedRequests refusals_{[this](RefusalReason /*reason*/, std::string_view client) { refused_clients_ += client; }};
};

std::string Serve(HttpHandler& handler, const Request& request) {
  std::string response;
  handler.Serve(request, [&response](std::string_view bytes) {
    response += bytes;
    return true;
  });
  return response;
}

std::string HeadOf(const std::string& response) { return response.substr(0, response.find("\r\n\r\n") + 4); }
std::string BodyOf(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

TEST_F(HttpHandlerTest, AnswersMetricsWithAllHeaders) {
  HttpHandler handler = MakeHandler();
  EXPECT_EQ(Serve(handler, {"GET", "/metrics", ""}),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 14\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n"
            "Vary: Accept, Accept-Encoding\r\n"
            "\r\n"
            "procevent_x 1\n");
}

TEST_F(HttpHandlerTest, ChoosesStatusByMethodAndPath) {
  HttpHandler handler = MakeHandler();
  for (const std::string path : {"/metrics", "/", "/-/healthy", "/-/ready"}) {
    for (const std::string method : {"GET", "HEAD"}) {
      EXPECT_THAT(Serve(handler, {method, path, ""}), StartsWith("HTTP/1.1 200 OK\r\n")) << method << path;
    }
    for (const std::string method :
         {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "", "GETX"}) {
      const std::string response = Serve(handler, {method, path, ""});
      EXPECT_THAT(response, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n")) << method << path;
      EXPECT_THAT(response, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    }
  }
  for (const std::string path : {"", "*", "/metrics/", "/metricsfoo", "//metrics", "/METRICS", "/metric", "/metrics%20",
                                 "/%6detrics", "/metrics?x", "/-", "/-/", "/-/healthy/", "/index.html"}) {
    for (const std::string method : {"GET", "HEAD", "POST"}) {
      EXPECT_THAT(Serve(handler, {method, path, ""}), StartsWith("HTTP/1.1 404 Not Found\r\n")) << method << path;
    }
  }
}

TEST_F(HttpHandlerTest, HeadOmitsOnlyTheBody) {
  HttpHandler handler = MakeHandler();
  for (const std::string path : {"/metrics", "/", "/-/healthy", "/-/ready", "/nope"}) {
    for (const std::string encoding : {"", "gzip"}) {
      const std::string get = Serve(handler, {"GET", path, encoding});
      EXPECT_EQ(Serve(handler, {"HEAD", path, encoding}), HeadOf(get));
      EXPECT_THAT(get, HasSubstr("\r\nContent-Length: " + std::to_string(BodyOf(get).size()) + "\r\n"));
      EXPECT_FALSE(BodyOf(get).empty());
    }
  }
}

TEST_F(HttpHandlerTest, CompressesOnlyMetrics) {
  HttpHandler handler = MakeHandler();
  const std::string compressed = Serve(handler, {"GET", "/metrics", "gzip"});
  EXPECT_THAT(compressed, HasSubstr("\r\nContent-Encoding: gzip\r\nVary: Accept, Accept-Encoding\r\n"));
  EXPECT_EQ(Gunzip(BodyOf(compressed)), kText);
  EXPECT_EQ(BodyOf(Serve(handler, {"GET", "/metrics", "gzip;q=0"})), kText);
  EXPECT_THAT(Serve(handler, {"GET", "/", "gzip"}), Not(HasSubstr("Content-Encoding")));
}

TEST_F(HttpHandlerTest, AnswersInTheFormatOfTheAcceptHeader) {
  HttpHandler handler({},
                      {[](std::uint64_t asked_ns, TextFormat format, const TextSink& sink) {
                         sink(format == TextFormat::kOpenMetrics ? "OpenMetrics" : "plain");
                         return PageInfo{.complete_until_ns = asked_ns};
                       },
                       [] { return SubscriptionStatus(); }},
                      refusals_);
  for (const std::string encoding : {"", "gzip"}) {
    Request request{"GET", "/metrics", encoding};
    const std::string plain = Serve(handler, request);
    EXPECT_THAT(plain, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_EQ(encoding.empty() ? BodyOf(plain) : Gunzip(BodyOf(plain)), "plain");
    request.accept = "application/openmetrics-text";
    const std::string open_metrics = Serve(handler, request);
    EXPECT_THAT(open_metrics,
                HasSubstr("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    EXPECT_EQ(encoding.empty() ? BodyOf(open_metrics) : Gunzip(BodyOf(open_metrics)), "OpenMetrics");
    for (const std::string& response : {plain, open_metrics}) {
      EXPECT_THAT(response, HasSubstr("\r\nVary: Accept, Accept-Encoding\r\n"));
    }
    request.path = "/";
    EXPECT_THAT(Serve(handler, request), HasSubstr("\r\nContent-Type: text/html; charset=utf-8\r\n"));
  }
}

TEST_F(HttpHandlerTest, LandingPageEscapesPathAndLinksPages) {
  ServerOptions options;
  options.telemetry_path = "/m&'x";
  HttpHandler handler = MakeHandler(options);
  const std::string page = Serve(handler, {"GET", "/", ""});
  EXPECT_THAT(page, HasSubstr("\r\nContent-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(page, HasSubstr("<h1>procevent_exporter " + std::string(Version()) + "</h1>"));
  EXPECT_THAT(page, HasSubstr("<p>" + std::string(Description()) + "</p>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/m&amp;&#39;x\">/m&amp;&#39;x</a>"));
  EXPECT_THAT(page, HasSubstr("<p>Ready: receiving process events"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/-/healthy\">"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/-/ready\">"));
  EXPECT_EQ(BodyOf(Serve(handler, {"GET", "/m&'x", ""})), kText);
  EXPECT_THAT(Serve(handler, {"GET", "/metrics", ""}), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpHandlerTest, NotReadyNamesTheCauseAndStaysHealthy) {
  HttpHandler handler =
      MakeHandler({}, {.receiving = Error{"subscribe <socket>", 0, "run as root"}, .losses = "1 < 2 lost"});
  const std::string response = Serve(handler, {"GET", "/-/ready", ""});
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(BodyOf(response), "not ready: cannot subscribe <socket>; run as root\n");
  EXPECT_THAT(Serve(handler, {"GET", "/-/healthy", ""}), StartsWith("HTTP/1.1 200 OK\r\n"));
  const std::string landing = Serve(handler, {"GET", "/", ""});
  EXPECT_THAT(landing, HasSubstr("<p>Not ready: cannot subscribe &lt;socket&gt;; run as root</p>"));
  EXPECT_THAT(landing, HasSubstr("<p>Since start: 1 &lt; 2 lost</p>"));
}

// A scrape counts against the limit while all but its last 64 KiB are sent.
TEST_F(HttpHandlerTest, RefusesScrapesOverTheLimit) {
  ServerOptions options;
  options.max_requests = 2;
  const std::string large(100'000, 'x');
  HttpHandler handler(options, {GenerateText(large), [] { return SubscriptionStatus(); }}, refusals_);
  const Request scrape{"GET", "/metrics", "", "10.0.0.9"};
  std::string second;
  std::string third;
  std::string healthy;
  std::string fourth;
  const auto record = [](std::string& response, const auto& callback) {
    return [&response, &callback](std::string_view bytes) {
      response += bytes;
      callback(response.size());
      return true;
    };
  };
  const auto while_two_are_served = [&](std::size_t /*sent*/) {
    if (third.empty()) {
      third = Serve(handler, scrape);
      healthy = Serve(handler, {"GET", "/-/healthy", ""});
    }
  };
  const auto while_one_is_served = [&](std::size_t sent) {
    if (sent < large.size()) {
      handler.Serve(scrape, record(second, while_two_are_served));
    } else {
      fourth = Serve(handler, scrape);
    }
  };
  std::string first;
  handler.Serve(scrape, record(first, while_one_is_served));
  EXPECT_EQ(BodyOf(first), large);
  EXPECT_EQ(BodyOf(second), large);
  EXPECT_EQ(BodyOf(fourth), large);
  EXPECT_THAT(third, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(third, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(BodyOf(third),
              AllOf(StartsWith("too many scrapes at once: "), HasSubstr(" 2"), HasSubstr("web.max_requests")));
  EXPECT_THAT(refusals_.counts(), testing::ElementsAre(0, 1, 0));
  EXPECT_EQ(refused_clients_, "10.0.0.9");
  EXPECT_THAT(healthy, StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpHandlerTest, AcceptsNextScrapeDuringTheLastPiece) {
  ServerOptions options;
  options.max_requests = 1;
  HttpHandler handler = MakeHandler(options);
  const Request scrape{"GET", "/metrics", ""};
  std::string next;
  handler.Serve(scrape, [&](std::string_view) {
    next = Serve(handler, scrape);
    return true;
  });
  EXPECT_EQ(BodyOf(next), kText);
}

TEST_F(HttpHandlerTest, SendsNothingAfterAFailedSend) {
  HttpHandler handler({}, {GenerateText(std::string(100'000, 'x')), [] { return SubscriptionStatus(); }}, refusals_);
  int pieces = 0;
  handler.Serve({"GET", "/metrics", ""}, [&pieces](std::string_view) {
    ++pieces;
    return false;
  });
  EXPECT_EQ(pieces, 1);
}

// Page 7 is of three pieces or one, compressed.
class SentPageTest : public HttpHandlerTest {
 protected:
  std::vector<std::uint64_t> Sent(const Request& request, const HttpHandler::SendFunction& send) {
    std::vector<std::uint64_t> sent;
    HttpHandler handler({},
                        {[](std::uint64_t asked_ns, TextFormat /*format*/, const TextSink& sink) {
                           sink(std::string(150'000, 'x'));
                           return PageInfo{.complete_until_ns = asked_ns, .number = 7};
                         },
                         [] { return SubscriptionStatus(); }, [&sent](std::uint64_t page) { sent.push_back(page); }},
                        refusals_);
    handler.Serve(request, send);
    return sent;
  }
};

TEST_F(SentPageTest, IsReportedAfterItsLastPiece) {
  for (const std::string encoding : {"", "gzip"}) {
    for (const std::string accept : {"", "application/openmetrics-text"}) {
      const Request request{.method = "GET", .path = "/metrics", .accept_encoding = encoding, .accept = accept};
      EXPECT_THAT(Sent(request, [](std::string_view) { return true; }), testing::ElementsAre(7));
    }
  }
}

TEST_F(SentPageTest, IsNotReportedIfAnyPieceFails) {
  for (int failing = 1; failing <= 3; ++failing) {
    int pieces = 0;
    EXPECT_THAT(Sent({"GET", "/metrics", ""}, [&](std::string_view) { return ++pieces != failing; }),
                testing::IsEmpty());
    EXPECT_EQ(pieces, failing);
  }
}

TEST_F(SentPageTest, IsNotReportedForHeadOrAnotherPage) {
  for (const Request& request :
       {Request{"HEAD", "/metrics", ""}, Request{"POST", "/metrics", ""}, Request{"GET", "/-/healthy", ""}}) {
    EXPECT_THAT(Sent(request, [](std::string_view) { return true; }), testing::IsEmpty());
  }
}

TEST_F(HttpHandlerTest, AnswersAPageExceptionWith500AndFreesTheSlot) {
  ServerOptions options;
  options.max_requests = 1;
  bool broken = true;
  HttpHandler handler(options,
                      {[&broken](std::uint64_t asked_ns, TextFormat /*format*/, const TextSink& sink) {
                         if (broken) {
                           throw std::runtime_error("generator failed");
                         }
                         sink(kText);
                         return PageInfo{.complete_until_ns = asked_ns};
                       },
                       []() -> SubscriptionStatus { throw std::bad_alloc(); }},
                      refusals_);
  const std::string response = Serve(handler, {"GET", "/metrics", ""});
  EXPECT_THAT(response, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_EQ(BodyOf(response), "cannot make page: generator failed\n");
  EXPECT_THAT(Serve(handler, {"GET", "/-/ready", ""}), StartsWith("HTTP/1.1 500 "));
  broken = false;
  EXPECT_EQ(BodyOf(Serve(handler, {"GET", "/metrics", ""})), kText);
}

TEST_F(HttpHandlerTest, FreesTheSlotIfSendThrows) {
  ServerOptions options;
  options.max_requests = 1;
  HttpHandler handler = MakeHandler(options);
  const Request scrape{"GET", "/metrics", ""};
  EXPECT_THROW(handler.Serve(scrape, [](std::string_view) -> bool { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(BodyOf(Serve(handler, scrape)), kText);
}

TEST_F(HttpHandlerTest, HeadHasTheLengthOfEachEncoding) {
  std::string text;
  for (int line = 0; text.size() < 1'000'000; ++line) {
    text += "procevent_x " + std::to_string(line * 7919) + "\n";
  }
  HttpHandler handler({}, {GenerateText(text), [] { return SubscriptionStatus(); }}, refusals_);
  for (const std::string encoding : {"", "gzip"}) {
    const std::string get = Serve(handler, {"GET", "/metrics", encoding});
    EXPECT_EQ(Serve(handler, {"HEAD", "/metrics", encoding}), HeadOf(get));
    EXPECT_THAT(HeadOf(get), HasSubstr("\r\nContent-Length: " + std::to_string(BodyOf(get).size()) + "\r\n"));
    EXPECT_EQ(encoding.empty() ? BodyOf(get) : Gunzip(BodyOf(get)), text);
  }
}

TEST_F(HttpHandlerTest, RefusesScrapesWhilePagesOfSlowClientsTakeTooMuchMemory) {
  std::mt19937 random(1);
  std::string incompressible(ScrapeCoalescer::kMaxBytesInUse + 100'000, '\0');
  for (char& c : incompressible) {
    c = static_cast<char>(random() % 256);
  }
  HttpHandler handler({}, {GenerateText(incompressible), [] { return SubscriptionStatus(); }}, refusals_);
  const Request scrape{"GET", "/metrics", "", "10.0.0.9"};
  std::string second;
  handler.Serve(scrape, [&](std::string_view) {
    second = Serve(handler, scrape);
    return false;
  });
  EXPECT_THAT(second, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(BodyOf(second), StartsWith("slow clients have not read their pages yet"));
  EXPECT_THAT(refusals_.counts(), testing::ElementsAre(0, 0, 1));
  EXPECT_THAT(HeadOf(Serve(handler, scrape)), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace procevent

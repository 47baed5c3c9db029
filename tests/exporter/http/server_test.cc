// Tests responses over real sockets. http_handler_test.cc tests the handler without sockets.
#include "exporter/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/exporter/http/gunzip.h"
#include "tests/exporter/http/test_server.h"

namespace procevent {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ServerTest, AnswersByMethodAndPath) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  const std::string tail = " HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string not_found = "HTTP/1.1 404 ";
  const std::string not_allowed = "HTTP/1.1 405 ";
  const struct {
    std::string name;
    std::string request;
    std::string response;  // its beginning
  } rows[] = {
      {"metrics", "GET /metrics" + tail, kOk},
      {"query", "GET /metrics?x=1&y=/z" + tail, kOk},
      {"empty query", "GET /metrics?" + tail, kOk},
      {"head", "HEAD /metrics" + tail, kOk},
      {"landing", "GET /" + tail, kOk},
      {"healthy", "GET /-/healthy" + tail, kOk},
      {"ready", "GET /-/ready" + tail, kOk},
      {"HTTP/1.0", "GET /metrics HTTP/1.0\r\n\r\n", kOk},
      {"blank lines before", "\r\n\r\nGET /metrics" + tail, kOk},
      {"absolute", "GET http://" + Address(fixture.port) + "/metrics" + tail, kOk},
      {"body after GET", "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", kOk},
      {"websocket", "GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", kOk},
      {"slash after", "GET /metrics/" + tail, not_found},
      {"slashes before", "GET //metrics" + tail, not_found},
      {"more", "GET /metricsfoo" + tail, not_found},
      {"escaped blank", "GET /metrics%20" + tail, not_found},
      {"escaped letter", "GET /%6detrics" + tail, not_found},
      {"escaped NUL", "GET /metrics%00" + tail, not_found},
      {"escaped query", "GET /metrics%3Fx" + tail, not_found},
      {"dots", "GET /../metrics" + tail, not_found},
      {"dots inside", "GET /x/../metrics" + tail, not_found},
      {"dot", "GET /./metrics" + tail, not_found},
      {"fragment", "GET /metrics#x" + tail, not_found},
      {"parameter", "GET /metrics;x" + tail, not_found},
      {"capitals", "GET /METRICS" + tail, not_found},
      {"long path", "GET /" + std::string(15'000, 'a') + tail, not_found},
      {"file", "GET /etc/passwd" + tail, not_found},
      {"POST", "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", not_allowed},
      {"PUT", "PUT /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", not_allowed},
      {"DELETE", "DELETE /metrics" + tail, not_allowed},
      {"PATCH", "PATCH /-/ready HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", not_allowed},
      {"OPTIONS", "OPTIONS /metrics" + tail, not_allowed},
      {"preflight", "OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://e\r\nAccess-Control-Request-Method: GET\r\n\r\n",
       not_allowed},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string response = SendAndReceive(fixture.port, row.request);
    EXPECT_THAT(response, StartsWith(row.response));
    EXPECT_THAT(HeadOf(response), HasSubstr("\r\nConnection: close"));
    if (row.response == not_allowed) {
      EXPECT_THAT(response, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    }
  }
}

// civetweb itself rejects these requests, with an error response or by closing the connection.
TEST(ServerTest, RejectsInvalidHttpAndContinuesToServe) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  const std::string tail = " HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string requests[] = {
      "garbage\r\n\r\n",
      std::string("\x00\xFF\x01\r\n\r\n", 7),
      "\x16\x03\x01\x02" + std::string(200, 'a'),  // a TLS client hello
      "get /metrics" + tail,
      "TRACE /metrics" + tail,
      "CONNECT a:80" + tail,
      "GETX /metrics" + tail,
      "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET metrics" + tail,
      "GET ?" + tail,
      "GET http://elsewhere.example/metrics" + tail,
      "GET https://a/metrics" + tail,
      std::string("GET /metrics\0 HTTP/1.1\r\n\r\n", 26),
      "GET /metrics HTTP/9.9\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n",
      "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc",
      "GET /metrics",  // incomplete
  };
  for (const std::string& request : requests) {
    EXPECT_THAT(SendAndReceive(fixture.port, request),
                testing::AnyOf("", StartsWith("HTTP/1.1 400 Bad Request\r\n"), StartsWith("HTTP/1.1 411 "),
                               StartsWith("HTTP/1.1 505 ")))
        << request.substr(0, 80);
  }
  EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith(kOk));
}

// The server answers one request per connection, so requests smuggled behind it are ignored.
TEST(ServerTest, ServesOneRequestPerConnection) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  const std::string first = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n";
  const std::string second = "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& between : {std::string("\r\n"), std::string("Connection: keep-alive\r\n\r\n"),
                                     std::string("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")}) {
    const std::string response = SendAndReceive(fixture.port, first + between + second);
    EXPECT_THAT(response, Not(HasSubstr("404"))) << between;
  }
}

TEST(ServerTest, HeadHasTheHeadersOfGet) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  for (const std::string path : {"/", "/-/healthy", "/-/ready", "/nope", "/metrics"}) {
    const std::string get = Get(fixture.port, path);
    const std::string head = SendAndReceive(fixture.port, "HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(BodyOf(head), "");
    // The lengths of two scrapes may differ.
    const std::regex length(path == "/metrics" ? "Content-Length: [0-9]+" : "^$");
    EXPECT_EQ(std::regex_replace(HeadOf(head), length, ""), std::regex_replace(HeadOf(get), length, ""));
    EXPECT_THAT(get, HasSubstr("\r\nContent-Length: " + std::to_string(BodyOf(get).size()) + "\r\n"));
  }
}

// Removes the resource usage of the exporter, which differs between two scrapes.
std::string RemoveProcessMetrics(const std::string& text) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    rest += line.rfind("process_", 0) == 0 ? "" : line + "\n";
  }
  return rest;
}

TEST(ServerTest, GzipHasTheSameText) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  const std::string plain = Get(fixture.port, "/metrics", "Accept-Encoding: identity\r\n");
  EXPECT_THAT(HeadOf(plain), HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(HeadOf(plain), Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(plain, HasSubstr("\nprocevent_events_total{event=\"fork\"} 101\n"));
  for (const std::string header :
       {"Accept-Encoding: gzip\r\n", "accept-encoding: br\r\nAccept-Encoding: gzip;q=0.5\r\n"}) {
    const std::string compressed = Get(fixture.port, "/metrics", header);
    EXPECT_THAT(HeadOf(compressed), HasSubstr("\r\nContent-Encoding: gzip\r\n")) << header;
    EXPECT_EQ(RemoveProcessMetrics(Gunzip(BodyOf(compressed))), RemoveProcessMetrics(BodyOf(plain)));
  }
}

TEST(ServerTest, NegotiatesTheFormatByAllAcceptHeaders) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  for (const std::string header :
       {"Accept: application/openmetrics-text\r\n",
        "accept: text/plain;q=0.5\r\nAccept: application/openmetrics-text;q=0.6\r\nAccept-Encoding: identity\r\n"}) {
    const std::string response = Get(fixture.port, "/metrics", header);
    EXPECT_THAT(HeadOf(response),
                HasSubstr("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    EXPECT_THAT(response, HasSubstr("\n# TYPE procevent_events counter\n"));
    EXPECT_THAT(response, testing::EndsWith("\n# EOF\n"));
  }
}

TEST(ServerTest, AppliesMaxRequestsOption) {
  ServerOptions options;
  options.max_requests = 0;
  TestServer fixture(options);
  const FakeReader reader(fixture.exchange);
  EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Get(fixture.port, "/-/ready"), StartsWith(kOk));
}

TEST(ServerTest, AppliesTelemetryPathOption) {
  ServerOptions options;
  options.telemetry_path = "/custom";
  TestServer fixture(options);
  const FakeReader reader(fixture.exchange);
  EXPECT_THAT(Get(fixture.port, "/custom"), StartsWith(kOk));
  EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith("HTTP/1.1 404 "));
}

TEST(ServerTest, ReportsNotReadyWithoutAReader) {
  TestServer fixture;
  const std::string scrape = Get(fixture.port, "/metrics");
  EXPECT_THAT(scrape, StartsWith(kOk));
  EXPECT_THAT(scrape, HasSubstr("\nprocevent_up 0\n"));
  EXPECT_EQ(BodyOf(Get(fixture.port, "/-/ready")),
            "not ready: cannot receive process events: not subscribed yet; wait for the first attempt\n");
  EXPECT_THAT(Get(fixture.port, "/-/healthy"), StartsWith(kOk));
}

TEST(ServerTest, NotReadyNamesTheSubscriptionError) {
  static constexpr StaticError kCause{"subscribe", ECONNREFUSED, "run with --network host"};
  std::atomic<bool> failed = true;
  TestServer fixture;
  const FakeReader reader(fixture.exchange, [&failed](Snapshot& snapshot) {
    snapshot.subscribed = false;
    snapshot.subscription_error = failed ? kCause : StaticError{};
  });
  const std::string response = Get(fixture.port, "/-/ready");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(BodyOf(response), "not ready: cannot subscribe: Connection refused; run with --network host\n");
  failed = false;
  const std::string expected =
      "not ready: cannot receive process events: not subscribed yet; wait for the first attempt\n";
  for (int i = 0; i < 1000 && BodyOf(Get(fixture.port, "/-/ready")) != expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(BodyOf(Get(fixture.port, "/-/ready")), expected);
}

TEST(ServerTest, ReadinessAndLandingPageNeedNoSnapshot) {
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  for (const std::string page : {"/-/ready", "/"}) {
    EXPECT_THAT(Get(fixture.port, page), StartsWith(kOk));
  }
  EXPECT_EQ(fixture.exchange.asked_ns(), 0U) << "a page requested a snapshot";
  Get(fixture.port, "/metrics");
  EXPECT_GT(fixture.exchange.asked_ns(), 0U);
}

TEST(ServerTest, SurvivesPagesThatThrow) {
  TestServer fixture(HttpHandler::PageCallbacks{[](auto, auto, const auto&) -> PageInfo { throw std::bad_alloc(); },
                                                []() -> SubscriptionStatus { throw 1; }});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Get(fixture.port, "/metrics"), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(Get(fixture.port, "/-/ready"), StartsWith("HTTP/1.1 500 "));
  }
  EXPECT_THAT(Get(fixture.port, "/-/healthy"), StartsWith(kOk));
}

TEST(ServerTest, ServesConcurrentScrapes) {
  constexpr int kClients = 8;
  constexpr int kScrapes = 25;
  TestServer fixture;
  const FakeReader reader(fixture.exchange);
  std::vector<int> served(kClients);
  {
    std::vector<std::jthread> clients;
    for (int& count : served) {
      clients.emplace_back([&fixture, &count] {
        for (int i = 0; i < kScrapes; ++i) {
          count += Get(fixture.port, "/metrics").find("\nprocevent_up 1\n") != std::string::npos ? 1 : 0;
        }
      });
    }
  }
  EXPECT_THAT(served, testing::Each(kScrapes));
}

// With first_scrapes 2, two scrapes of many at once show 0, and later ones the count. No value falls.
TEST(ServerTest, ShowsANewSeriesAsZeroFirst) {
  ServerOptions options;
  options.first_scrapes = 2;
  TestServer fixture(options);
  std::atomic<bool> forked{false};
  const FakeReader reader(fixture.exchange, [&forked](Snapshot& snapshot) {
    GroupRow& row = snapshot.numbers.groups.rows.back();
    row.labels[0] = LabelValue("new");
    row.serial = forked ? 99 : 0;
    row.counts[CountKind::kForks] = forked ? 7 : 0;
  });
  const auto value = [&] {
    const std::string page = Get(fixture.port, "/metrics");
    const std::string series = "\nprocevent_forks_total{comm=\"new\"} ";
    const std::size_t at = page.find(series);
    return at == std::string::npos ? -1 : std::stoi(page.substr(at + series.size()));
  };
  EXPECT_EQ(value(), -1);
  forked = true;
  EXPECT_EQ(value(), 0);
  std::atomic<int> fallen{0};
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < 4; ++client) {
      clients.emplace_back([&] {
        int last = 0;
        for (int scrape = 0; scrape < 10; ++scrape) {
          const int now = value();
          fallen += now < last ? 1 : 0;
          last = now;
        }
      });
    }
  }
  EXPECT_EQ(fallen, 0);
  EXPECT_EQ(value(), 7);
}

TEST(ServerTest, InitializesEachServingThread) {
  std::mutex mutex;
  std::set<std::thread::id> initialized;
  std::set<std::thread::id> uninitialized;
  std::uint16_t port = 0;
  const auto check_thread = [&] {
    const std::lock_guard lock(mutex);
    if (!initialized.contains(std::this_thread::get_id())) {
      uninitialized.insert(std::this_thread::get_id());
    }
  };
  const HttpHandler::PageCallbacks pages{[&](std::uint64_t asked_ns, TextFormat, const TextSink&) {
                                           check_thread();
                                           return PageInfo{.complete_until_ns = asked_ns};
                                         },
                                         [&] {
                                           check_thread();
                                           return SubscriptionStatus();
                                         }};
  RefusedRequests refusals;
  const auto server = MakeOnFreePort(port, [&] {
    ServerOptions options;
    options.listen_addresses = {Address(port)};
    return std::make_unique<Server>(options, pages, refusals, [&] {
      const std::lock_guard lock(mutex);
      initialized.insert(std::this_thread::get_id());
    });
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(Get(port, "/metrics"), StartsWith(kOk));
  }
  const std::lock_guard lock(mutex);
  EXPECT_EQ(uninitialized.size(), 0U);
  EXPECT_GT(initialized.size(), 1U);
  EXPECT_FALSE(initialized.contains(std::this_thread::get_id()));
}

}  // namespace
}  // namespace procevent

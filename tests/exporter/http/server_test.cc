// How the server answers, over real sockets. What is pure about it is tested with the site.
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
  TestServer house;
  const FakeReader reader(house.exchange);
  const std::string tail = " HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string not_found = "HTTP/1.1 404 ";
  const std::string not_allowed = "HTTP/1.1 405 ";
  const struct {
    std::string name;
    std::string request;
    std::string response;  // how it begins
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
      {"absolute", "GET http://" + Address(house.port) + "/metrics" + tail, kOk},
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
    const std::string response = Exchanged(house.port, row.request);
    EXPECT_THAT(response, StartsWith(row.response));
    EXPECT_THAT(HeadOf(response), HasSubstr("\r\nConnection: close"));
    if (row.response == not_allowed) {
      EXPECT_THAT(response, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    }
  }
}

// What civetweb itself turns away: by an error of its own, or by closing.
TEST(ServerTest, RefusesWhatIsNotHttpAndLivesOn) {
  TestServer house;
  const FakeReader reader(house.exchange);
  const std::string tail = " HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string requests[] = {
      "garbage\r\n\r\n",
      std::string("\x00\xFF\x01\r\n\r\n", 7),
      "\x16\x03\x01\x02" + std::string(200, 'a'),  // the beginning of TLS
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
      "GET /metrics",  // and nothing more
  };
  for (const std::string& request : requests) {
    EXPECT_THAT(Exchanged(house.port, request),
                testing::AnyOf("", StartsWith("HTTP/1.1 400 Bad Request\r\n"), StartsWith("HTTP/1.1 411 "),
                               StartsWith("HTTP/1.1 505 ")))
        << request.substr(0, 80);
  }
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
}

// One connection, one answer: what is smuggled behind a request is not served.
TEST(ServerTest, ServesOneRequestOfAConnection) {
  TestServer house;
  const FakeReader reader(house.exchange);
  const std::string first = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n";
  const std::string second = "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& between : {std::string("\r\n"), std::string("Connection: keep-alive\r\n\r\n"),
                                     std::string("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")}) {
    const std::string response = Exchanged(house.port, first + between + second);
    EXPECT_THAT(response, Not(HasSubstr("404"))) << between;
  }
}

TEST(ServerTest, HeadHasTheHeadersOfGet) {
  TestServer house;
  const FakeReader reader(house.exchange);
  for (const std::string path : {"/", "/-/healthy", "/-/ready", "/nope", "/metrics"}) {
    const std::string get = Get(house.port, path);
    const std::string head = Exchanged(house.port, "HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(BodyOf(head), "");
    // Two scrapes need not be of the same length.
    const std::regex length(path == "/metrics" ? "Content-Length: [0-9]+" : "^$");
    EXPECT_EQ(std::regex_replace(HeadOf(head), length, ""), std::regex_replace(HeadOf(get), length, ""));
    EXPECT_THAT(get, HasSubstr("\r\nContent-Length: " + std::to_string(BodyOf(get).size()) + "\r\n"));
  }
}

// What one scrape and the next have in common: all but what this process costs.
std::string WithoutProcess(const std::string& text) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    rest += line.rfind("process_", 0) == 0 ? "" : line + "\n";
  }
  return rest;
}

TEST(ServerTest, GzipIsTheSameText) {
  TestServer house;
  const FakeReader reader(house.exchange);
  const std::string plain = Get(house.port, "/metrics", "Accept-Encoding: identity\r\n");
  EXPECT_THAT(HeadOf(plain), HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(HeadOf(plain), Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(plain, HasSubstr("\nprocevent_events_total{event=\"fork\"} 101\n"));
  for (const std::string header :
       {"Accept-Encoding: gzip\r\n", "accept-encoding: br\r\nAccept-Encoding: gzip;q=0.5\r\n"}) {
    const std::string packed = Get(house.port, "/metrics", header);
    EXPECT_THAT(HeadOf(packed), HasSubstr("\r\nContent-Encoding: gzip\r\n")) << header;
    EXPECT_EQ(WithoutProcess(Gunzip(BodyOf(packed))), WithoutProcess(BodyOf(plain)));
  }
}

TEST(ServerTest, LimitOfScrapesIsTheOptions) {
  ServerOptions options;
  options.max_requests = 0;
  TestServer house(options);
  const FakeReader reader(house.exchange);
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Get(house.port, "/-/ready"), StartsWith(kOk));
}

TEST(ServerTest, TelemetryPathIsTheOptions) {
  ServerOptions options;
  options.telemetry_path = "/numbers";
  TestServer house(options);
  const FakeReader reader(house.exchange);
  EXPECT_THAT(Get(house.port, "/numbers"), StartsWith(kOk));
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith("HTTP/1.1 404 "));
}

TEST(ServerTest, ReaderThatNeverAnswersIsSaidToBeDown) {
  TestServer house;
  const std::string scrape = Get(house.port, "/metrics");
  EXPECT_THAT(scrape, StartsWith(kOk));
  EXPECT_THAT(scrape, HasSubstr("\nprocevent_listener_up 0\n"));
  EXPECT_EQ(BodyOf(Get(house.port, "/-/ready")), "not ready: the reader does not answer\n");
  EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(kOk));
}

TEST(ServerTest, UnreadyNamesTheListenersCause) {
  static constexpr Error kCause{"subscribe", ECONNREFUSED, "run with --network host"};
  std::atomic<bool> tried = true;
  TestServer house;
  const FakeReader reader(house.exchange, [&tried](Snapshot& snapshot) {
    snapshot.subscribed = false;
    snapshot.subscription_error = tried ? kCause : Error{};
  });
  const std::string response = Get(house.port, "/-/ready");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(BodyOf(response), "not ready: cannot subscribe: Connection refused; run with --network host\n");
  tried = false;
  EXPECT_EQ(BodyOf(Get(house.port, "/-/ready")), "not ready: not listening yet\n");
}

TEST(ServerTest, PageThatThrowsIsA500AndNoMore) {
  TestServer house(HttpHandler::PageCallbacks{[](auto) -> std::string { throw std::bad_alloc(); },
                                              []() -> SubscriptionStatus { throw 1; }});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Get(house.port, "/metrics"), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(Get(house.port, "/-/ready"), StartsWith("HTTP/1.1 500 "));
  }
  EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(kOk));
}

TEST(ServerTest, ManyScrapesAtOnceAreAllServed) {
  constexpr int kClients = 8;
  constexpr int kScrapes = 25;
  TestServer house;
  const FakeReader reader(house.exchange);
  std::vector<int> served(kClients);
  {
    std::vector<std::jthread> clients;
    for (int& count : served) {
      clients.emplace_back([&house, &count] {
        for (int i = 0; i < kScrapes; ++i) {
          count += Get(house.port, "/metrics").find("\nprocevent_listener_up 1\n") != std::string::npos ? 1 : 0;
        }
      });
    }
  }
  EXPECT_THAT(served, testing::Each(kScrapes));
}

TEST(ServerTest, EachOfItsThreadsBeginsWithWhatItIsGiven) {
  std::mutex mutex;
  std::set<std::thread::id> begun;
  std::set<std::thread::id> strangers;
  std::uint16_t port = 0;
  const auto note = [&] {
    const std::lock_guard lock(mutex);
    if (!begun.contains(std::this_thread::get_id())) {
      strangers.insert(std::this_thread::get_id());
    }
  };
  const HttpHandler::PageCallbacks pages{[&](auto) {
                                           note();
                                           return std::string();
                                         },
                                         [&] {
                                           note();
                                           return SubscriptionStatus();
                                         }};
  RefusedRequests refusals;
  const auto server = OnFreePort(port, [&] {
    ServerOptions options;
    options.listen_addresses = {Address(port)};
    return std::make_unique<Server>(options, pages, refusals, [&] {
      const std::lock_guard lock(mutex);
      begun.insert(std::this_thread::get_id());
    });
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(Get(port, "/metrics"), StartsWith(kOk));
  }
  const std::lock_guard lock(mutex);
  EXPECT_EQ(strangers.size(), 0U);
  EXPECT_GT(begun.size(), 1U);
  EXPECT_FALSE(begun.contains(std::this_thread::get_id()));
}

}  // namespace
}  // namespace procevent

#include "exporter/http/http_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>

#include "exporter/metrics/exporter_state.h"
#include "tests/exporter/http/gunzip.h"

namespace procevent {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kText = "procevent_x 1\n";

class HttpHandlerTest : public testing::Test {
 protected:
  HttpHandler MakeSite(const ServerOptions& options = {}, const SubscriptionStatus& state = {}) {
    return HttpHandler(options, {[](auto) { return kText; }, [state] { return state; }}, refusals_);
  }

  std::string told_;
  RefusedRequests refusals_{[this](RefusalReason /*why*/, std::string_view client) { told_ += client; }};
};

std::string Serve(HttpHandler& site, const Request& request) {
  std::string response;
  site.Serve(request, [&response](std::string_view bytes) {
    response += bytes;
    return true;
  });
  return response;
}

std::string HeadOf(const std::string& response) { return response.substr(0, response.find("\r\n\r\n") + 4); }
std::string BodyOf(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

TEST_F(HttpHandlerTest, MetricsInFull) {
  HttpHandler site = MakeSite();
  EXPECT_EQ(Serve(site, {"GET", "/metrics", ""}),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 14\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n"
            "Vary: Accept-Encoding\r\n"
            "\r\n"
            "procevent_x 1\n");
}

TEST_F(HttpHandlerTest, StatusByMethodAndPath) {
  HttpHandler site = MakeSite();
  for (const std::string path : {"/metrics", "/", "/-/healthy", "/-/ready"}) {
    for (const std::string method : {"GET", "HEAD"}) {
      EXPECT_THAT(Serve(site, {method, path, ""}), StartsWith("HTTP/1.1 200 OK\r\n")) << method << path;
    }
    for (const std::string method :
         {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "", "GETX"}) {
      const std::string response = Serve(site, {method, path, ""});
      EXPECT_THAT(response, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n")) << method << path;
      EXPECT_THAT(response, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    }
  }
  for (const std::string path : {"", "*", "/metrics/", "/metricsfoo", "//metrics", "/METRICS", "/metric", "/metrics%20",
                                 "/%6detrics", "/metrics?x", "/-", "/-/", "/-/healthy/", "/index.html"}) {
    for (const std::string method : {"GET", "HEAD", "POST"}) {
      EXPECT_THAT(Serve(site, {method, path, ""}), StartsWith("HTTP/1.1 404 Not Found\r\n")) << method << path;
    }
  }
}

TEST_F(HttpHandlerTest, HeadIsGetWithoutTheBody) {
  HttpHandler site = MakeSite();
  for (const std::string path : {"/metrics", "/", "/-/healthy", "/-/ready", "/nope"}) {
    for (const std::string encoding : {"", "gzip"}) {
      const std::string get = Serve(site, {"GET", path, encoding});
      EXPECT_EQ(Serve(site, {"HEAD", path, encoding}), HeadOf(get));
      EXPECT_THAT(get, HasSubstr("\r\nContent-Length: " + std::to_string(BodyOf(get).size()) + "\r\n"));
      EXPECT_FALSE(BodyOf(get).empty());
    }
  }
}

TEST_F(HttpHandlerTest, OnlyMetricsAreGzipped) {
  HttpHandler site = MakeSite();
  const std::string packed = Serve(site, {"GET", "/metrics", "gzip"});
  EXPECT_THAT(packed, HasSubstr("\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n"));
  EXPECT_EQ(Gunzip(BodyOf(packed)), kText);
  EXPECT_EQ(BodyOf(Serve(site, {"GET", "/metrics", "gzip;q=0"})), kText);
  EXPECT_THAT(Serve(site, {"GET", "/", "gzip"}), Not(HasSubstr("Content-Encoding")));
}

TEST_F(HttpHandlerTest, LandingPageLinksAndEscapes) {
  ServerOptions options;
  options.telemetry_path = "/m&'x";
  HttpHandler site = MakeSite(options);
  const std::string page = Serve(site, {"GET", "/", ""});
  EXPECT_THAT(page, HasSubstr("\r\nContent-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(page, HasSubstr("<h1>procevent_exporter " + std::string(Version()) + "</h1>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/m&amp;&#39;x\">/m&amp;&#39;x</a>"));
  EXPECT_THAT(page, HasSubstr("<p>It hears the kernel&#39;s process events.</p>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/-/healthy\">"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/-/ready\">"));
  EXPECT_EQ(BodyOf(Serve(site, {"GET", "/m&'x", ""})), kText);
  EXPECT_THAT(Serve(site, {"GET", "/metrics", ""}), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpHandlerTest, UnreadyNamesTheCauseAndStaysHealthy) {
  HttpHandler site = MakeSite({}, {.cause = "cannot hear; use ears", .losses = "1 < 2 were lost."});
  const std::string response = Serve(site, {"GET", "/-/ready", ""});
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(BodyOf(response), "not ready: cannot hear; use ears\n");
  EXPECT_THAT(Serve(site, {"GET", "/-/healthy", ""}), StartsWith("HTTP/1.1 200 OK\r\n"));
  const std::string landing = Serve(site, {"GET", "/", ""});
  EXPECT_THAT(landing, HasSubstr("<p>It does not hear the kernel: cannot hear; use ears</p>"));
  EXPECT_THAT(landing, HasSubstr("<p>Since it started 1 &lt; 2 were lost.</p>"));
}

// All but the last 64 KiB of a scrape are sent while it still counts.
TEST_F(HttpHandlerTest, ScrapesOverTheLimitAreTurnedAway) {
  ServerOptions options;
  options.max_requests = 2;
  const std::string large(100'000, 'x');
  HttpHandler site(options, {[&](auto) { return large; }, [] { return SubscriptionStatus(); }}, refusals_);
  const Request scrape{"GET", "/metrics", "", "10.0.0.9"};
  std::string second;
  std::string third;
  std::string healthy;
  std::string fourth;
  const auto keep = [](std::string& response, const auto& meanwhile) {
    return [&response, &meanwhile](std::string_view bytes) {
      response += bytes;
      meanwhile(response.size());
      return true;
    };
  };
  const auto while_two_are_served = [&](std::size_t /*sent*/) {
    if (third.empty()) {
      third = Serve(site, scrape);
      healthy = Serve(site, {"GET", "/-/healthy", ""});
    }
  };
  const auto while_one_is_served = [&](std::size_t sent) {
    if (sent < large.size()) {
      site.Serve(scrape, keep(second, while_two_are_served));
    } else {
      fourth = Serve(site, scrape);
    }
  };
  std::string first;
  site.Serve(scrape, keep(first, while_one_is_served));
  EXPECT_EQ(BodyOf(first), large);
  EXPECT_EQ(BodyOf(second), large);
  EXPECT_EQ(BodyOf(fourth), large);
  EXPECT_THAT(third, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(third, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_EQ(BodyOf(third), "too many scrapes at once: 2 are served; scrape less often or from fewer places\n");
  EXPECT_THAT(refusals_.counts(), testing::ElementsAre(0, 1));
  EXPECT_EQ(told_, "10.0.0.9");
  EXPECT_THAT(healthy, StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpHandlerTest, WhoHasTheWholeAnswerMayAskAgain) {
  ServerOptions options;
  options.max_requests = 1;
  HttpHandler site = MakeSite(options);
  const Request scrape{"GET", "/metrics", ""};
  std::string again;
  site.Serve(scrape, [&](std::string_view) {
    again = Serve(site, scrape);
    return true;
  });
  EXPECT_EQ(BodyOf(again), kText);
}

TEST_F(HttpHandlerTest, WhoTakesNoMoreIsSentNoMore) {
  HttpHandler site({}, {[](auto) { return std::string(100'000, 'x'); }, [] { return SubscriptionStatus(); }},
                   refusals_);
  int pieces = 0;
  site.Serve({"GET", "/metrics", ""}, [&pieces](std::string_view) {
    ++pieces;
    return false;
  });
  EXPECT_EQ(pieces, 1);
}

TEST_F(HttpHandlerTest, PageThatThrowsIsA500AndGivesItsPlaceBack) {
  ServerOptions options;
  options.max_requests = 1;
  bool broken = true;
  HttpHandler site(options,
                   {[&broken](auto) -> std::string {
                      if (broken) {
                        throw std::runtime_error("no paper");
                      }
                      return kText;
                    },
                    []() -> SubscriptionStatus { throw std::bad_alloc(); }},
                   refusals_);
  const std::string response = Serve(site, {"GET", "/metrics", ""});
  EXPECT_THAT(response, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_EQ(BodyOf(response), "this page failed: no paper\n");
  EXPECT_THAT(Serve(site, {"GET", "/-/ready", ""}), StartsWith("HTTP/1.1 500 "));
  broken = false;
  EXPECT_EQ(BodyOf(Serve(site, {"GET", "/metrics", ""})), kText);
}

TEST_F(HttpHandlerTest, ClientThatCannotBeSentToGivesItsPlaceBack) {
  ServerOptions options;
  options.max_requests = 1;
  HttpHandler site = MakeSite(options);
  const Request scrape{"GET", "/metrics", ""};
  EXPECT_THROW(site.Serve(scrape, [](std::string_view) -> bool { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(BodyOf(Serve(site, scrape)), kText);
}

}  // namespace
}  // namespace procevent

// The server over real sockets. What is pure about it is tested with the site.
#include "exporter/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/exporter/fake_reader.h"
#include "tests/exporter/gunzip.h"
#include "tests/exporter/tcp_client.h"

namespace procevent {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::chrono::seconds kBound{2};  // what the issue names
const std::string kScrape = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\n";

std::string Address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
std::string HeadOf(const std::string& response) { return response.substr(0, response.find("\r\n\r\n")); }
std::string BodyOf(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

// What `make` makes of a free port, which somebody may take before it does: then of another.
template <typename Make>
std::unique_ptr<Server> OnFreePort(std::uint16_t& port, const Make& make) {
  constexpr int kTries = 20;
  for (int tried = 1;; ++tried) {
    port = FreePort();
    try {
      return make();
    } catch (const std::runtime_error& fault) {
      if (tried == kTries || std::string_view(fault.what()).find("Address already in use") == std::string_view::npos) {
        throw;
      }
    }
  }
}

// A server on a port of its own, and its exchange; the reader is the test's business.
struct House {
  explicit House(ServerOptions options = {}) {
    server = OnFreePort(port, [&] {
      options.listen_addresses = {Address(port)};
      return std::make_unique<Server>(options, exchange);
    });
  }
  explicit House(const Site::Pages& pages) {
    server = OnFreePort(port, [&] {
      ServerOptions options;
      options.listen_addresses = {Address(port)};
      return std::make_unique<Server>(options, pages);
    });
  }

  std::uint16_t port = 0;
  Exchange exchange{Snapshot(2)};
  std::unique_ptr<Server> server;
};

std::string WhyNot(const ServerOptions& options) {
  Exchange exchange{Snapshot(1)};
  try {
    const Server server(options, exchange);
  } catch (const std::runtime_error& fault) {
    return fault.what();
  }
  return "it starts";
}

std::string WhyNot(const std::vector<std::string>& addresses) {
  ServerOptions options;
  options.listen_addresses = addresses;
  return WhyNot(options);
}

TEST(ServerTest, AnswersByMethodAndPath) {
  House house;
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
  House house;
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
  House house;
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
  House house;
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
  House house;
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
  House house(options);
  const FakeReader reader(house.exchange);
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Get(house.port, "/-/ready"), StartsWith(kOk));
}

TEST(ServerTest, TelemetryPathIsTheOptions) {
  ServerOptions options;
  options.telemetry_path = "/numbers";
  House house(options);
  const FakeReader reader(house.exchange);
  EXPECT_THAT(Get(house.port, "/numbers"), StartsWith(kOk));
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith("HTTP/1.1 404 "));
}

TEST(ServerTest, ReaderThatNeverAnswersIsSaidToBeDown) {
  House house;
  const std::string scrape = Get(house.port, "/metrics");
  EXPECT_THAT(scrape, StartsWith(kOk));
  EXPECT_THAT(scrape, HasSubstr("\nprocevent_listener_up 0\n"));
  EXPECT_EQ(BodyOf(Get(house.port, "/-/ready")), "not ready: the reader does not answer\n");
  EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(kOk));
}

TEST(ServerTest, UnreadyNamesTheListenersCause) {
  static constexpr Error kCause{"subscribe", ECONNREFUSED, "run with --network host"};
  std::atomic<bool> tried = true;
  House house;
  const FakeReader reader(house.exchange, [&tried](Snapshot& snapshot) {
    snapshot.listening = false;
    snapshot.cause = tried ? kCause : Error{};
  });
  const std::string response = Get(house.port, "/-/ready");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(BodyOf(response), "not ready: cannot subscribe: Connection refused; run with --network host\n");
  tried = false;
  EXPECT_EQ(BodyOf(Get(house.port, "/-/ready")), "not ready: not listening yet\n");
}

TEST(ServerTest, PageThatThrowsIsA500AndNoMore) {
  House house(Site::Pages{[]() -> std::string { throw std::bad_alloc(); }, []() -> std::string { throw 1; }});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Get(house.port, "/metrics"), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(Get(house.port, "/-/ready"), StartsWith("HTTP/1.1 500 "));
  }
  EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(kOk));
}

TEST(ServerTest, ManyScrapesAtOnceAreAllServed) {
  constexpr int kClients = 8;
  constexpr int kScrapes = 25;
  House house;
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
  Exchange exchange{Snapshot(1)};
  std::mutex mutex;
  std::set<std::thread::id> begun;
  std::set<std::thread::id> strangers;
  std::uint16_t port = 0;
  const auto server = OnFreePort(port, [&] {
    ServerOptions options;
    options.listen_addresses = {Address(port)};
    const auto page = [&] {
      const std::lock_guard lock(mutex);
      if (!begun.contains(std::this_thread::get_id())) {
        strangers.insert(std::this_thread::get_id());
      }
      return std::string();
    };
    return std::make_unique<Server>(options, Site::Pages{page, page}, [&] {
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

TEST(ServerTest, ListensOnEveryAddress) {
  Exchange exchange{Snapshot(1)};
  const FakeReader reader(exchange);
  std::uint16_t first = 0;
  std::uint16_t second = 0;
  const auto server = OnFreePort(first, [&] {
    second = FreePort();
    ServerOptions options;
    options.listen_addresses = {Address(first), ":" + std::to_string(second)};
    return std::make_unique<Server>(options, exchange);
  });
  EXPECT_THAT(Get(first, "/metrics"), StartsWith(kOk));
  EXPECT_THAT(Get(second, "/metrics"), StartsWith(kOk));
}

TEST(ServerTest, AddressThatCannotBeListenedOnIsNamedWithTheRemedy) {
  const Listener other;
  const std::string taken = Address(other.port());
  const std::string in_use = "cannot listen on " + taken +
                             ": Address already in use; another program listens there; choose another "
                             "--web.listen-address or stop it";
  EXPECT_EQ(WhyNot({taken}), in_use);
  EXPECT_EQ(WhyNot({Address(FreePort()), taken}), in_use);
  EXPECT_EQ(WhyNot({"192.0.2.1:13675"}),
            "cannot listen on 192.0.2.1:13675: Cannot assign requested address; this machine has no such address; "
            "choose another --web.listen-address");
  const std::string free = Address(FreePort());
  EXPECT_EQ(WhyNot({free, free}),
            "cannot listen on " + free + ": " + free + " is listened on too, and they overlap; leave one of them out");
  EXPECT_THAT(WhyNot({"127.0.0.1:443s"}), HasSubstr("terminate TLS in a reverse proxy"));
  EXPECT_THAT(WhyNot(std::vector<std::string>()), HasSubstr("give a --web.listen-address"));
  ServerOptions options;
  options.telemetry_path = "metrics";
  EXPECT_THAT(WhyNot(options), StartsWith("cannot serve metrics: "));
}

TEST(ServerTest, LackOfDescriptorsIsNamedWithTheRemedy) {
  ServerOptions options;
  options.listen_addresses = {Address(FreePort())};
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::string why;
  {
    const rlimit none{0, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    try {
      const Server server(options, Site::Pages());
    } catch (const std::runtime_error& fault) {
      why = fault.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  EXPECT_EQ(why, "cannot listen on " + options.listen_addresses.at(0) +
                     ": Too many open files; raise the limit of open files (ulimit -n)");
}

TEST(ServerTest, StopsTwiceAndLeavesThePortToTheNext) {
  House house;
  const FakeReader reader(house.exchange);
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  house.server->Stop();
  EXPECT_FALSE(TcpClient(house.port).connected());
  house.server->Stop();
  ServerOptions options;
  options.listen_addresses = {Address(house.port)};
  const Server next(options, house.exchange);
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
}

TEST(ServerTest, StopsWithinTheBoundWhenIdle) {
  House house;
  // Long enough that civetweb waits: only then its slow way to stop would show.
  EXPECT_THAT(Get(house.port, "/-/healthy"), StartsWith(kOk));
  const auto begin = steady_clock::now();
  house.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

using Clients = std::vector<std::unique_ptr<TcpClient>>;
// More than the kernel takes off a server's hands (tcp_wmem): who does not read keeps a thread waiting.
Site::Pages BigPages() {
  constexpr std::size_t kBytes = 4'500'000;
  return {[] { return std::string(kBytes, '#'); }, [] { return std::string(); }};
}

void AddHalfOpen(Clients& clients, std::uint16_t port, int count) {
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port));
    clients.back()->Send("GET /metrics HTTP/1.1\r\nHost: ");
  }
}

// Who ask for metrics and take none; all are being written to when this returns.
void AddNonReading(Clients& clients, std::uint16_t port, int count) {
  constexpr int kSmall = 2048;
  const std::size_t first = clients.size();
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port, kSmall));
    clients.back()->Send(kScrape);
  }
  for (std::size_t i = first; i < clients.size(); ++i) {
    EXPECT_TRUE(clients[i]->Hears());
  }
}

TEST(ServerTest, HalfOpenClientsDelayNoScrape) {
  House house;
  const FakeReader reader(house.exchange);
  Clients clients;
  AddHalfOpen(clients, house.port, 32);
  const auto begin = steady_clock::now();
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, NonReadingClientsDelayNoScrape) {
  House house(BigPages());
  Clients clients;
  AddNonReading(clients, house.port, 32);
  const auto begin = steady_clock::now();
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

// Who announce a body and never end it, one for each of the server's threads.
TEST(ServerTest, ClientsThatDripABodyDelayNoScrape) {
  constexpr int kCount = 64;
  House house;
  const FakeReader reader(house.exchange);
  Clients clients;
  for (int i = 0; i < kCount; ++i) {
    clients.push_back(std::make_unique<TcpClient>(house.port));
    clients.back()->Send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  }
  const std::jthread dripping([&clients](const std::stop_token& stopped) {
    constexpr std::chrono::milliseconds kPause{300};
    while (!stopped.stop_requested()) {
      for (const auto& client : clients) {
        client->Send("x");
      }
      std::this_thread::sleep_for(kPause);
    }
  });
  for (const auto& client : clients) {
    EXPECT_TRUE(client->Hears());
  }
  const auto begin = steady_clock::now();
  EXPECT_THAT(Get(house.port, "/metrics"), StartsWith(kOk));
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, StopsWithinTheBoundWhateverTheClientsDo) {
  House house(BigPages());
  Clients clients;
  AddNonReading(clients, house.port, 16);
  AddHalfOpen(clients, house.port, 16);
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TcpClient>(house.port));
  }
  const auto begin = steady_clock::now();
  house.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

TEST(ServerTest, StopsWithinTheBoundWhileTheReaderIsDead) {
  House house;
  Clients clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TcpClient>(house.port));
    clients.back()->Send(kScrape);
  }
  const auto begin = steady_clock::now();
  house.server->Stop();
  EXPECT_LT(steady_clock::now() - begin, kBound);
}

}  // namespace
}  // namespace procevent

#include "exporter/http/server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/http/address.h"
#include "exporter/http/server_resources.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/metrics_collector.h"

namespace procevent {

struct ServerContext {
  ServerContext(const ServerOptions& options, HttpHandler::PageCallbacks pages, RefusedRequests& refusals,
                ThreadInitializer start)
      : site(options, std::move(pages), refusals), begin(std::move(start)) {}

  HttpHandler site;
  ThreadInitializer begin;
};

namespace {

std::string_view TextOf(const char* text) { return text == nullptr ? std::string_view{} : text; }

// A list header may come in several lines, which are one list.
std::string AcceptEncodingOf(const mg_request_info& info) {
  std::string list;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (::mg_strcasecmp(header.name, "Accept-Encoding") == 0) {
      list += (list.empty() ? "" : ",") + std::string(TextOf(header.value));
    }
  }
  return list;
}

// In pieces, so that a client which reads a little now and then is bounded as a whole too.
class Writer {
 public:
  explicit Writer(mg_connection& connection) : connection_(connection) {}

  // False: it could not be written in time, which begins with the first byte.
  bool operator()(std::string_view bytes) {
    constexpr std::size_t kPiece = 65536;
    constexpr std::chrono::milliseconds kMostTime{1500};
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto deadline = *(deadline_ = deadline_.value_or(now() + kMostTime));
    while (!bytes.empty()) {
      const int written = now() < deadline ? ::mg_write(&connection_, bytes.data(), std::min(bytes.size(), kPiece)) : 0;
      if (written <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

 private:
  mg_connection& connection_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

ServerContext& ServedBy(const mg_context* context) { return *static_cast<ServerContext*>(::mg_get_user_data(context)); }

// The first thing that each of civetweb's threads does.
void* OnThread(const mg_context* context, int /*kind*/) noexcept {
  if (const ThreadInitializer& begin = ServedBy(context).begin) {
    begin();
  }
  return nullptr;
}

// civetweb is C: nothing may be thrown through it. What fails here has no page of its own any more.
int OnRequest(mg_connection* connection) noexcept {
  // Or it would wait for the rest of the request's body, as long as that drips in.
  ::mg_disable_connection_keep_alive(connection);
  constexpr int kHandled = 200;
  try {
    const mg_request_info& info = *::mg_get_request_info(connection);
    const std::string accept_encoding = AcceptEncodingOf(info);
    HttpHandler& site = ServedBy(::mg_get_context(connection)).site;
    site.Serve({TextOf(info.request_method), TextOf(info.local_uri_raw), accept_encoding, info.remote_addr},
               Writer(*connection));
  } catch (...) {
    constexpr std::string_view kFailed =
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    ::mg_write(connection, kFailed.data(), kFailed.size());
  }
  return kHandled;
}

// Of what civetweb turns away itself: no request that could be read. Its own page would format a date with gmtime,
// in many threads at once.
int OnError(mg_connection* connection, int status, const char* /*message*/) noexcept {
  try {
    const std::string line = std::to_string(status) + " " + ::mg_get_response_code_text(connection, status);
    Writer writer(*connection);
    writer(Written({line, kPlainText, line + "\n", {}}));
  } catch (...) {  // the connection is closed in any case
  }
  return 0;
}

// That it turned somebody away civetweb tells in its log alone, as "...: ADDRESS is not allowed to connect".
int OnMessage(const mg_connection* connection, const char* message) noexcept {
  constexpr int kHandled = 1;
  std::string_view text = TextOf(message);
  const std::size_t end = text.find(" is not allowed to connect");
  if (end == std::string_view::npos) {
    return kHandled;
  }
  text = text.substr(0, end);
  try {
    ServedBy(::mg_get_context(connection)).site.NoteUnheard(text.substr(text.rfind(' ') + 1));
  } catch (...) {  // it is counted, and there is no memory to say so
  }
  return kHandled;
}

// Shuts down our listening sockets and their connections. civetweb keeps its sockets to itself; that of all open ones
// ours are those with our ports is what tells them.
void ShutDownSockets(const std::vector<ListenAddress>& addresses) {
  std::error_code fault;
  std::filesystem::directory_iterator entry("/proc/self/fd", fault);
  for (const std::filesystem::directory_iterator end; !fault && entry != end; entry.increment(fault)) {
    const std::string number = entry->path().filename().string();
    int fd = -1;
    std::from_chars(number.data(), number.data() + number.size(), fd);
    sockaddr_in name{};
    socklen_t size = sizeof name;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 && name.sin_family == AF_INET &&
        std::ranges::find(addresses, ntohs(name.sin_port), &ListenAddress::port) != addresses.end()) {
      ::shutdown(fd, SHUT_RDWR);
    }
  }
}

// Ends all waiting on our sockets.
void HangUp(const std::vector<ListenAddress>& addresses) noexcept {
  try {
    ShutDownSockets(addresses);
  } catch (const std::bad_alloc&) {  // the waits end by themselves, later
  }
}

// "+10.0.0.0/8,+10.1.2.3": civetweb then turns all others away, before it reads a byte of theirs.
std::string AccessList(const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& network : allowed) {
    if (const auto parsed = ParseAllowedNetwork(network); !parsed) {
      throw std::runtime_error("cannot allow " + network + ": " + std::string(parsed.error().remedy));
    }
    list += (list.empty() ? "+" : ",+") + network;
  }
  return list;
}

mg_context* Start(const std::vector<ListenAddress>& listen, const std::vector<std::string>& allowed,
                  ServerContext& served) {
  std::string addresses;
  for (const ListenAddress& address : listen) {
    addresses += (addresses.empty() ? "" : ",") + ToText(address);
  }
  const std::string access = AccessList(allowed);
  const std::string workers = std::to_string(kWorkers);
  // A thread for each of many bad clients, none of whom keeps it long.
  std::vector<const char*> options{"listening_ports",
                                   addresses.c_str(),
                                   "num_threads",
                                   workers.c_str(),
                                   "request_timeout_ms",
                                   "1500",
                                   "enable_keep_alive",
                                   "no",
                                   "listen_backlog",
                                   "256",
                                   "connection_queue",
                                   "256",
                                   "tcp_nodelay",
                                   "1",
                                   "decode_url",
                                   "no",
                                   "enable_auth_domain_check",
                                   "no",
                                   "enable_directory_listing",
                                   "no"};
  if (!access.empty()) {
    options.insert(options.end(), {"access_control_list", access.c_str()});
  }
  options.push_back(nullptr);
  mg_callbacks callbacks{};
  callbacks.init_thread = OnThread;
  callbacks.begin_request = OnRequest;
  callbacks.http_error = OnError;
  callbacks.log_message = OnMessage;  // no log_access: without it civetweb does not even write the line
  std::array<char, 256> reason{};
  unsigned code = 0;
  mg_init_data init{&callbacks, &served, options.data()};
  mg_error_data error{&code, reason.data(), reason.size()};
  mg_context* const context = ::mg_start2(&init, &error);
  if (context == nullptr) {
    throw CannotListen(addresses, std::string(reason.data()) + "; choose another --web.listen-address");
  }
  return context;
}

}  // namespace

Server::Server(const ServerOptions& options, SnapshotExchange& exchange, ExporterState& own, ThreadInitializer begin)
    : Server(options,
             {[collector = MetricsCollector(exchange, own)](std::chrono::milliseconds patience) {
                return ToText(collector.Collect(patience));
              },
              [&exchange] { return RequestSubscriptionStatus(exchange, kSnapshotTimeout); }},
             own.refusals, std::move(begin)) {}

Server::Server(const ServerOptions& options, HttpHandler::PageCallbacks pages, RefusedRequests& refusals,
               ThreadInitializer begin) {
  if (const Status path = CheckTelemetryPath(options.telemetry_path); !path) {
    throw std::runtime_error("cannot serve " + options.telemetry_path + ": " + std::string(path.error().remedy));
  }
  addresses_ = ParseAvailableAddresses(options.listen_addresses);
  if (const Status threads = CheckServingThreads(); !threads) {
    throw std::runtime_error(Describe(threads.error()));
  }
  served_ = std::make_unique<ServerContext>(options, std::move(pages), refusals, std::move(begin));
  ::mg_init_library(0);
  try {
    context_ = Start(addresses_, options.allow, *served_);
  } catch (...) {
    ::mg_exit_library();
    throw;
  }
}

Server::~Server() { Stop(); }

void Server::Stop() {
  if (context_ == nullptr) {
    return;
  }
  // civetweb sees that it shall stop when a wait of its own ends, which takes 2 s and more: so they are ended.
  HangUp(addresses_);
  std::optional<std::jthread> ender;
  try {
    ender.emplace([this](const std::stop_token& stopped) {
      constexpr std::chrono::milliseconds kPause{20};
      while (!stopped.stop_requested()) {
        std::this_thread::sleep_for(kPause);
        HangUp(addresses_);
      }
    });
  } catch (const std::system_error&) {
    // There is no thread to be had: it takes longer.
  }
  ::mg_stop(std::exchange(context_, nullptr));
  ::mg_exit_library();
}

}  // namespace procevent

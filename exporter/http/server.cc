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
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/fatal_error.h"
#include "core/base/text.h"
#include "exporter/http/address.h"
#include "exporter/http/server_resources.h"
#include "exporter/metrics/exporter_state.h"
#include "exporter/metrics/metrics_collector.h"

namespace procevent {

struct ServerContext {
  ServerContext(const ServerOptions& options, HttpHandler::PageCallbacks pages, RefusedRequests& refusals,
                ThreadInitializer initialize)
      : handler(options, std::move(pages), refusals), initialize_thread(std::move(initialize)) {}

  HttpHandler handler;
  ThreadInitializer initialize_thread;
};

namespace {

std::string_view ToView(const char* text) { return text == nullptr ? std::string_view{} : text; }

// A list header may be sent as several header lines, which form one list.
std::string JoinHeader(const mg_request_info& info, const char* name) {
  std::string list;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (::mg_strcasecmp(header.name, name) == 0) {
      list += (list.empty() ? "" : ",") + std::string(ToView(header.value));
    }
  }
  return list;
}

// Writes a response in pieces and limits the total time, so that a slow client cannot occupy a thread for long.
class ConnectionWriter {
 public:
  explicit ConnectionWriter(mg_connection& connection) : connection_(connection) {}

  // Returns false if the bytes could not be written in time. The time starts with the first call.
  bool operator()(std::string_view bytes) {
    constexpr std::size_t kPieceBytes = 65536;
    constexpr std::chrono::milliseconds kMaxTime{1500};
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto deadline = *(deadline_ = deadline_.value_or(now() + kMaxTime));
    while (!bytes.empty()) {
      const int written =
          now() < deadline ? ::mg_write(&connection_, bytes.data(), std::min(bytes.size(), kPieceBytes)) : 0;
      if (written <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  [[nodiscard]] bool started() const { return deadline_.has_value(); }

 private:
  mg_connection& connection_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

ServerContext& GetContext(const mg_context* context) {
  return *static_cast<ServerContext*>(::mg_get_user_data(context));
}

// civetweb calls it first on each of its threads.
void* OnThreadStart(const mg_context* context, int /*kind*/) noexcept {
  if (const ThreadInitializer& initialize = GetContext(context).initialize_thread) {
    initialize();
  }
  return nullptr;
}

// civetweb is C, so no exception may leave this function. An exception before the first bytes of a response is answered
// with an empty 500. Later, the connection is closed, and the client sees that the response is too short.
int OnRequest(mg_connection* connection) noexcept {
  // With keep-alive civetweb would read the rest of the request's body, for as long as a client keeps sending it.
  ::mg_disable_connection_keep_alive(connection);
  constexpr int kHandled = 200;
  ConnectionWriter writer(*connection);
  try {
    const mg_request_info& info = *::mg_get_request_info(connection);
    const std::string accept = JoinHeader(info, "Accept");
    const std::string accept_encoding = JoinHeader(info, "Accept-Encoding");
    HttpHandler& handler = GetContext(::mg_get_context(connection)).handler;
    handler.Serve({ToView(info.request_method), ToView(info.local_uri_raw), accept_encoding, info.remote_addr, accept},
                  std::ref(writer));
  } catch (...) {
    if (!writer.started()) {
      writer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
  }
  return kHandled;
}

// Answers requests that civetweb rejects because it cannot parse them. civetweb's own error page would call gmtime,
// which is not thread-safe.
int OnError(mg_connection* connection, int status, const char* /*message*/) noexcept {
  try {
    const std::string line = std::to_string(status) + " " + ::mg_get_response_code_text(connection, status);
    ConnectionWriter writer(*connection);
    writer(Serialize({line, kPlainText, line + "\n", {}}));
  } catch (...) {  // the connection is closed anyway
  }
  return 0;
}

// civetweb reports a connection that the access control list refused only as a log message: "...: ADDRESS is not
// allowed to connect".
int OnLogMessage(const mg_connection* connection, const char* message) noexcept {
  constexpr int kHandled = 1;
  std::string_view text = ToView(message);
  const std::size_t end = text.find(" is not allowed to connect");
  if (end == std::string_view::npos) {
    return kHandled;
  }
  text = text.substr(0, end);
  try {
    GetContext(::mg_get_context(connection)).handler.RecordClosedConnection(text.substr(text.rfind(' ') + 1));
  } catch (...) {  // the refusal is counted, but there is no memory to log it
  }
  return kHandled;
}

// Shuts down the server's listening sockets and connections. civetweb does not expose them, so they are identified by
// their local port among all open sockets of the process.
void ShutDownSockets(const std::vector<ListenAddress>& addresses) {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
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

// Ends all waits of civetweb on the sockets.
void EndSocketWaits(const std::vector<ListenAddress>& addresses) noexcept {
  try {
    ShutDownSockets(addresses);
  } catch (const std::bad_alloc&) {  // the waits time out later
  }
}

// "+10.0.0.0/8,+10.1.2.3": civetweb closes connections of all other addresses before it reads a byte.
std::string MakeAccessList(const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& network : allowed) {
    if (const auto parsed = ParseAllowedNetwork(network); !parsed) {
      throw FatalError({"allow network", parsed.error().cause, parsed.error().remedy, EscapeUnprintable(network)});
    }
    list += (list.empty() ? "+" : ",+") + network;
  }
  return list;
}

mg_context* StartCivetweb(const std::vector<ListenAddress>& listen, const std::vector<std::string>& allowed,
                          ServerContext& server_context) {
  std::string addresses;
  for (const ListenAddress& address : listen) {
    addresses += (addresses.empty() ? "" : ",") + ToText(address);
  }
  const std::string access = MakeAccessList(allowed);
  const std::string workers = std::to_string(kWorkers);
  // Enough threads for many slow clients at once. request_timeout_ms limits how long each one occupies a thread.
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
  callbacks.init_thread = OnThreadStart;
  callbacks.begin_request = OnRequest;
  callbacks.http_error = OnError;
  callbacks.log_message = OnLogMessage;  // without log_access civetweb formats no access log line
  std::array<char, 256> error_text{};
  unsigned code = 0;
  mg_init_data init{&callbacks, &server_context, options.data()};
  mg_error_data error{&code, error_text.data(), error_text.size()};
  mg_context* const context = ::mg_start2(&init, &error);
  if (context == nullptr) {
    // civetweb has no error codes. The addresses are free and its threads could be started, so something is short, or
    // another process took an address meanwhile. `error_text` says which.
    throw FatalError({"start the HTTP server on", "not enough memory, threads or open files",
                      "raise ulimit -v and -d (systemd: LimitAS, LimitDATA), ulimit -u (TasksMax) and ulimit -n",
                      addresses, EscapeUnprintable(error_text.data(), error_text.size())});
  }
  return context;
}

HttpHandler::PageCallbacks MakePages(const std::shared_ptr<MetricsCollector>& collector, SnapshotExchange& exchange) {
  return {.metrics = [collector](std::uint64_t asked_ns, TextFormat format,
                                 const TextSink& sink) { return collector->WriteText(asked_ns, format, sink); },
          .status = [&exchange] { return ReadSubscriptionStatus(exchange); },
          .sent = [collector](std::uint64_t page) { collector->RecordSent(page); }};
}

}  // namespace

Server::Server(const ServerOptions& options, SnapshotExchange& exchange, ExporterState& state,
               ThreadInitializer initialize_thread)
    : Server(options, MakePages(std::make_shared<MetricsCollector>(exchange, state, options.first_scrapes), exchange),
             state.refusals, std::move(initialize_thread)) {}

Server::Server(const ServerOptions& options, HttpHandler::PageCallbacks pages, RefusedRequests& refusals,
               ThreadInitializer initialize_thread) {
  if (const Status path = CheckTelemetryPath(options.telemetry_path); !path) {
    throw FatalError(
        {"serve telemetry path", path.error().cause, path.error().remedy, EscapeUnprintable(options.telemetry_path)});
  }
  addresses_ = ValueOrThrow(ParseAvailableAddresses(options.listen_addresses));
  ValueOrThrow(CheckServingThreads());
  context_ = std::make_unique<ServerContext>(options, std::move(pages), refusals, std::move(initialize_thread));
  ::mg_init_library(0);
  try {
    civetweb_ = StartCivetweb(addresses_, options.allow, *context_);
  } catch (...) {
    ::mg_exit_library();
    throw;
  }
}

Server::~Server() { Stop(); }

void Server::Stop() {
  if (civetweb_ == nullptr) {
    return;
  }
  // civetweb notices a stop only after its current waits, which take 2 s and more. So this ends the waits, repeatedly,
  // because threads may start new ones.
  EndSocketWaits(addresses_);
  std::optional<std::jthread> wait_breaker;
  try {
    wait_breaker.emplace([this](const std::stop_token& stopped) {
      constexpr std::chrono::milliseconds kInterval{20};
      while (!stopped.stop_requested()) {
        std::this_thread::sleep_for(kInterval);
        EndSocketWaits(addresses_);
      }
    });
  } catch (const std::system_error&) {
    // Without this thread the stop takes longer.
  }
  ::mg_stop(std::exchange(civetweb_, nullptr));
  ::mg_exit_library();
}

}  // namespace procevent

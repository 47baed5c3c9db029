#include "exporter/server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/owned_fd.h"
#include "exporter/listen_address.h"
#include "exporter/listener_state.h"
#include "exporter/metrics_collector.h"

namespace procevent {
namespace {

std::runtime_error CannotListen(std::string_view address, std::string_view cause) {
  return std::runtime_error("cannot listen on " + std::string(address) + ": " + std::string(cause));
}

std::string_view RemedyOf(int code) {
  switch (code) {
    case EADDRINUSE:
      return "another program listens there; choose another --web.listen-address or stop it";
    case EADDRNOTAVAIL:
      return "this machine has no such address; choose another --web.listen-address";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case EACCES:
      return "ports below 1024 need CAP_NET_BIND_SERVICE; choose another --web.listen-address or run as root";
    default:
      return "choose another --web.listen-address";
  }
}

// civetweb does not say which address failed and why; a bind of our own, with its options, does.
void Probe(const ListenAddress& address) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ipv4);
  if (!socket.valid() || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    const int code = errno;
    throw CannotListen(ToText(address), std::generic_category().message(code) + "; " + std::string(RemedyOf(code)));
  }
}

// Each seen to be free.
std::vector<ListenAddress> CheckedAddresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = ParseListenAddress(text);
    if (!address) {
      throw CannotListen(text, address.error().remedy);
    }
    for (const ListenAddress& other : addresses) {
      if (Overlap(address.value(), other)) {
        throw CannotListen(text, ToText(other) + " is listened on too, and they overlap; leave one of them out");
      }
    }
    Probe(address.value());
    addresses.push_back(address.value());
  }
  if (addresses.empty()) {
    throw std::runtime_error("cannot listen: no address is given; give a --web.listen-address, as in :13675");
  }
  return addresses;
}

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
void Write(mg_connection& connection, std::string_view bytes) {
  constexpr std::size_t kPiece = 65536;
  constexpr std::chrono::milliseconds kMostTime{1500};
  const auto deadline = std::chrono::steady_clock::now() + kMostTime;
  while (!bytes.empty() && std::chrono::steady_clock::now() < deadline) {
    const int written = ::mg_write(&connection, bytes.data(), std::min(bytes.size(), kPiece));
    if (written <= 0) {
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// civetweb is C: nothing may be thrown through it. What fails here has no page of its own any more.
int OnRequest(mg_connection* connection) noexcept {
  // Or it would wait for the rest of the request's body, as long as that drips in.
  ::mg_disable_connection_keep_alive(connection);
  constexpr int kHandled = 200;
  try {
    const mg_request_info& info = *::mg_get_request_info(connection);
    const std::string accept_encoding = AcceptEncodingOf(info);
    auto& site = *static_cast<Site*>(::mg_get_user_data(::mg_get_context(connection)));
    site.Serve({TextOf(info.request_method), TextOf(info.local_uri_raw), accept_encoding},
               [connection](std::string_view bytes) { Write(*connection, bytes); });
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
    Write(*connection, Written({line, kPlainText, line + "\n", {}}));
  } catch (...) {
    return 0;  // the connection is closed in any case
  }
  return 0;
}

int DropMessage(const mg_connection* /*connection*/, const char* /*message*/) { return 1; }

// Ends all waiting on our listening sockets and their connections, by shutting them down. civetweb keeps its sockets
// to itself; that of all open ones ours are those with our ports is what tells them.
void HangUp(const std::vector<ListenAddress>& addresses) {
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

mg_context* Start(const std::vector<ListenAddress>& listen, Site& site) {
  std::string addresses;
  for (const ListenAddress& address : listen) {
    addresses += (addresses.empty() ? "" : ",") + ToText(address);
  }
  // A thread for each of many bad clients, none of whom keeps it long.
  std::array<const char*, 31> options{"listening_ports",
                                      addresses.c_str(),
                                      "num_threads",
                                      "64",
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
                                      "no",
                                      nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = OnRequest;
  callbacks.http_error = OnError;
  callbacks.log_message = DropMessage;  // no log_access: without it civetweb does not even write the line
  std::array<char, 256> reason{};
  unsigned code = 0;
  mg_init_data init{&callbacks, &site, options.data()};
  mg_error_data error{&code, reason.data(), reason.size()};
  mg_context* const context = ::mg_start2(&init, &error);
  if (context == nullptr) {
    throw CannotListen(addresses, std::string(reason.data()) + "; choose another --web.listen-address");
  }
  return context;
}

}  // namespace

Server::Server(const ServerOptions& options, Exchange& exchange, const ReloadStatus& reloads)
    : Server(options, {[collector = MetricsCollector(exchange, reloads)] { return ToText(collector.Collect()); },
                       [&exchange] { return AskForState(exchange); }}) {}

Server::Server(const ServerOptions& options, Site::Pages pages) {
  if (const Status path = CheckTelemetryPath(options.telemetry_path); !path) {
    throw std::runtime_error("cannot serve " + options.telemetry_path + ": " + std::string(path.error().remedy));
  }
  addresses_ = CheckedAddresses(options.listen_addresses);
  site_ = std::make_unique<Site>(options, std::move(pages));
  ::mg_init_library(0);
  try {
    context_ = Start(addresses_, *site_);
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
  const std::jthread ender([this](const std::stop_token& stopped) {
    constexpr std::chrono::milliseconds kPause{20};
    while (!stopped.stop_requested()) {
      HangUp(addresses_);
      std::this_thread::sleep_for(kPause);
    }
  });
  ::mg_stop(std::exchange(context_, nullptr));
  ::mg_exit_library();
}

}  // namespace procevent

#include "cmd/serve/health_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "cmd/cli/output.h"
#include "config/yaml/config_error.h"
#include "core/base/file_descriptor.h"
#include "exporter/http/address.h"

namespace procevent {
namespace {

constexpr std::string_view kRequest = "GET /-/healthy HTTP/1.0\r\n\r\n";
constexpr std::string_view kHealthy = "HTTP/1.1 200 ";
constexpr timeval kPatience{2, 0};  // to connect, and to be answered: engines wait for 5 s
constexpr std::string_view kSilent = "it does not answer within two seconds; look at its log";
constexpr std::string_view kHungUp =
    "it hung up without an answer; web.allow has to let in the machine that it runs on";

std::string Failed(int code) {
  if (code == EAGAIN || code == EINPROGRESS) {
    return std::string(kSilent);
  }
  if (code == ECONNRESET || code == EPIPE) {
    return std::string(kHungUp);
  }
  const std::string_view remedy = code == ECONNREFUSED
                                      ? "; nothing listens there: give this command the flags, file and "
                                        "environment of the exporter, and look at its log"
                                      : "";
  return std::generic_category().message(code).append(remedy);
}

bool HasHungUp(int socket) {
  char more{};
  const ssize_t got = ::recv(socket, &more, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

// Of what an answer begins with, as far as it came in time.
std::string FaultOf(std::string_view answer, int socket) {
  if (answer == kHealthy) {
    return {};
  }
  if (!kHealthy.starts_with(answer)) {
    return "it answered \"" + EscapeUnprintable(answer, kHealthy.size()) + "\"; is it an exporter of process events?";
  }
  if (!HasHungUp(socket)) {
    return std::string(kSilent);
  }
  return std::string(answer.empty() ? kHungUp : "it hung up within its answer; look at its log");
}

std::string FaultOf(const ListenAddress& address) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ipv4);
  if (!socket.valid() || ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::send(socket.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return Failed(errno);
  }
  std::array<char, kHealthy.size()> answer{};
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), MSG_WAITALL);
  return got < 0 ? Failed(errno) : FaultOf({answer.data(), static_cast<std::size_t>(got)}, socket.get());
}

}  // namespace

int HealthCheck(const ServerOptions& options) {
  auto address = ParseListenAddress(options.listen_addresses.front()).value();
  if (address.ipv4 == 0) {
    address.ipv4 = INADDR_LOOPBACK;
  }
  if (const std::string fault = FaultOf(address); !fault.empty()) {
    PrintError("procevent_exporter: " + ToText(address) + " is not healthy: " + fault);
    return 1;
  }
  return PrintWithExitCode(0, "healthy\n");
}

}  // namespace procevent

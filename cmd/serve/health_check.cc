#include "cmd/serve/health_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "cmd/cli/output.h"
#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "exporter/http/address.h"

namespace procevent {
namespace {

constexpr std::string_view kRequest = "GET /-/healthy HTTP/1.0\r\n\r\n";
constexpr std::string_view kHealthyStart = "HTTP/1.1 200 ";
constexpr timeval kTimeout{2, 0};  // to connect, and for the answer; container engines wait for 5 s

// An error of the query, without the address as its object.
Error NotHealthy(Cause cause, std::string_view remedy, std::string details = {}) {
  return {"confirm the health of the exporter at", cause, remedy, {}, std::move(details)};
}

Error NoAnswer() {
  static_assert(kTimeout.tv_sec == 2, "the text contains the number");
  return NotHealthy("no answer within 2 s", "see the exporter's log");
}

Error ConnectionClosed() {
  return NotHealthy("connection closed without an answer", "add the address of this machine to web.allow");
}

Error CallFailed(int code) {
  switch (code) {
    case EAGAIN:
    case EINPROGRESS:
      return NoAnswer();
    case ECONNRESET:
    case EPIPE:
      return ConnectionClosed();
    case ECONNREFUSED:
      return NotHealthy(
          {code, "no process listens at this address"},
          "give this command the flags, file and environment of the exporter, and see the exporter's log");
    default:
      return NotHealthy(code, "check the address and the limits of this machine");
  }
}

bool IsClosedByPeer(int socket) {
  char byte{};
  const ssize_t got = ::recv(socket, &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

// Checks the start of an answer, as far as it arrived in time.
Status CheckAnswer(std::string_view answer, int socket) {
  if (answer == kHealthyStart) {
    return Success{};
  }
  if (!kHealthyStart.starts_with(answer)) {
    return NotHealthy("unexpected answer", "check that the address is the exporter's",
                      QuotePrintable(answer, kHealthyStart.size()));
  }
  if (!IsClosedByPeer(socket)) {
    return NoAnswer();
  }
  return answer.empty() ? ConnectionClosed()
                        : NotHealthy("connection closed within the answer", "see the exporter's log");
}

Status QueryHealth(const ListenAddress& address) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ipv4);
  if (!socket.valid() || ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof kTimeout) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof kTimeout) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::send(socket.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return CallFailed(errno);
  }
  std::array<char, kHealthyStart.size()> answer{};
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), MSG_WAITALL);
  return got < 0 ? CallFailed(errno) : CheckAnswer({answer.data(), static_cast<std::size_t>(got)}, socket.get());
}

}  // namespace

int HealthCheck(const ServerOptions& options) {
  auto address = ParseListenAddress(options.listen_addresses.front()).value();
  if (address.ipv4 == 0) {
    address.ipv4 = INADDR_LOOPBACK;
  }
  if (Status healthy = QueryHealth(address); !healthy) {
    Error error = std::move(healthy).error();
    error.object = ToText(address);
    PrintError(Describe(error));
    return 1;
  }
  return PrintWithExitCode(0, "healthy\n");
}

}  // namespace procevent

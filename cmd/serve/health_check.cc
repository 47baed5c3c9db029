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
#include "core/base/file_descriptor.h"
#include "core/base/text.h"
#include "exporter/http/address.h"

namespace procevent {
namespace {

constexpr std::string_view kRequest = "GET /-/healthy HTTP/1.0\r\n\r\n";
constexpr std::string_view kHealthyStart = "HTTP/1.1 200 ";
constexpr timeval kTimeout{2, 0};  // to connect, and for the answer; container engines wait for 5 s
constexpr std::string_view kClosed =
    "connection closed without an answer; add the address of this machine to web.allow";

std::string DescribeTimeout() {
  return "no answer within " + std::to_string(kTimeout.tv_sec) + " s; see the exporter's log";
}

std::string DescribeErrno(int code) {
  if (code == EAGAIN || code == EINPROGRESS) {
    return DescribeTimeout();
  }
  if (code == ECONNRESET || code == EPIPE) {
    return std::string(kClosed);
  }
  const std::string_view remedy = code == ECONNREFUSED
                                      ? "; no process listens at this address: give this command the flags, file and "
                                        "environment of the exporter, and see the exporter's log"
                                      : "; check the address and the limits of this machine";
  return std::generic_category().message(code).append(remedy);
}

bool IsClosedByPeer(int socket) {
  char byte{};
  const ssize_t got = ::recv(socket, &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

// Describes what is wrong with the start of an answer, as far as it arrived in time. Empty: the exporter is healthy.
std::string FindAnswerError(std::string_view answer, int socket) {
  if (answer == kHealthyStart) {
    return {};
  }
  if (!kHealthyStart.starts_with(answer)) {
    return "unexpected answer \"" + EscapeUnprintable(answer, kHealthyStart.size()) +
           "\"; check that the address is the exporter's";
  }
  if (!IsClosedByPeer(socket)) {
    return DescribeTimeout();
  }
  return std::string(answer.empty() ? kClosed : "connection closed within the answer; see the exporter's log");
}

std::string FindError(const ListenAddress& address) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ipv4);
  if (!socket.valid() || ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof kTimeout) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof kTimeout) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::send(socket.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return DescribeErrno(errno);
  }
  std::array<char, kHealthyStart.size()> answer{};
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), MSG_WAITALL);
  return got < 0 ? DescribeErrno(errno) : FindAnswerError({answer.data(), static_cast<std::size_t>(got)}, socket.get());
}

}  // namespace

int HealthCheck(const ServerOptions& options) {
  auto address = ParseListenAddress(options.listen_addresses.front()).value();
  if (address.ipv4 == 0) {
    address.ipv4 = INADDR_LOOPBACK;
  }
  if (const std::string error = FindError(address); !error.empty()) {
    PrintError("cannot confirm that the exporter at " + ToText(address) + " is healthy: " + error);
    return 1;
  }
  return PrintWithExitCode(0, "healthy\n");
}

}  // namespace procevent

#include "cmd/service_manager.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/clock.h"
#include "core/base/words.h"

namespace procevent {
namespace {

// NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes it
const char* Environment(const char* name) { return std::getenv(name); }

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;
};

Result<Address> AddressOf(std::string_view socket) {
  Address address;
  const bool abstract = socket.starts_with('@');
  const std::size_t most = sizeof address.name.sun_path - 1;  // a path ends in a NUL
  if ((!abstract && !socket.starts_with('/')) || socket.size() > most) {
    return Error{"tell the service manager", EINVAL,
                 "NOTIFY_SOCKET is a path, or '@' and a name, of up to 107 bytes in all"};
  }
  address.name.sun_family = AF_UNIX;
  std::ranges::copy(socket, &address.name.sun_path[0]);
  if (abstract) {
    address.name.sun_path[0] = '\0';
  }
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size() + (abstract ? 0 : 1));
  return address;
}

// Who does not take our messages does not stop us: for longer than this.
OwnedFd MakeSocket() {
  constexpr timeval kLongestWait{.tv_sec = 0, .tv_usec = 250'000};
  OwnedFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kLongestWait, sizeof kLongestWait);
  return fd;
}

}  // namespace

ServiceSettings ReadServiceSettings(const char* socket, const char* watchdog_usec, const char* watchdog_pid,
                                    pid_t own) {
  ServiceSettings settings;
  if (socket == nullptr || *socket == '\0') {
    return settings;
  }
  settings.socket = socket;
  const bool ours = watchdog_pid == nullptr || NumberOf<std::int64_t>(watchdog_pid) == own;
  if (ours && watchdog_usec != nullptr) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;  // as nanoseconds
    settings.watchdog = std::chrono::microseconds(
        std::clamp<std::int64_t>(NumberOf<std::int64_t>(watchdog_usec).value_or(0), 0, kMost));
  }
  return settings;
}

ServiceSettings OwnServiceSettings() {
  return ReadServiceSettings(Environment("NOTIFY_SOCKET"), Environment("WATCHDOG_USEC"), Environment("WATCHDOG_PID"),
                             ::getpid());
}

ServiceManager::ServiceManager(std::string socket, Warn warn) : socket_(std::move(socket)), warn_(std::move(warn)) {
  if (listens()) {
    fd_ = MakeSocket();
  }
}

bool ServiceManager::Ready(std::string_view status) { return Tell("READY=1\nSTATUS=" + std::string(status)); }
bool ServiceManager::Renew(std::string_view status) { return Tell("STATUS=" + std::string(status)); }
void ServiceManager::Beat() { Tell("WATCHDOG=1"); }
void ServiceManager::Reloading() {
  constexpr std::uint64_t kNanosPerMicro = 1000;
  Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(MonotonicNanos() / kNanosPerMicro));
}
void ServiceManager::Stopping() { Tell("STOPPING=1"); }

bool ServiceManager::Tell(const std::string& message) {
  if (!listens()) {
    return false;
  }
  const Status sent = Send(message);
  if (!sent && !std::exchange(warned_, true)) {
    warn_(Describe(sent.error()));
  }
  return sent.ok();
}

Status ServiceManager::Send(std::string_view message) const {
  const auto address = AddressOf(socket_);
  if (!address) {
    return address.error();
  }
  const auto* const name = reinterpret_cast<const sockaddr*>(&address.value().name);
  while (::sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL, name, address.value().size) < 0) {
    if (errno != EINTR) {
      return Error{"tell the service manager", errno,
                   "NOTIFY_SOCKET names no socket that takes messages now; it is tried again"};
    }
  }
  return Success{};
}

}  // namespace procevent

#include "exporter/http/server_resources.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <cerrno>
#include <latch>
#include <utility>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/thread.h"

namespace procevent {

namespace {

Error CannotListen(Cause cause, std::string_view remedy, std::string_view address, std::string details = {}) {
  return {"listen on", cause, remedy, EscapeUnprintable(address), std::move(details)};
}

Error CannotBind(int code, const std::string& address) {
  constexpr std::string_view kChooseAnother = "choose another --web.listen-address";
  switch (code) {
    case EADDRINUSE:
      return CannotListen({code, "another program listens there"},
                          "choose another --web.listen-address, or stop that program", address);
    case EADDRNOTAVAIL:
      return CannotListen({code, "this machine does not have it"}, kChooseAnother, address);
    case EMFILE:
    case ENFILE:
      return CannotListen(code, "raise the limit of open files (ulimit -n)", address);
    case ENOMEM:
    case ENOBUFS:
      return CannotListen(code, "raise ulimit -v and -d (systemd: LimitAS, LimitDATA)", address);
    case EACCES:
      return CannotListen(
          code, "choose another --web.listen-address, or grant CAP_NET_BIND_SERVICE for a port below 1024", address);
    case EPERM:
      return CannotListen({code, "a security policy forbids it"},
                          "allow socket, bind and listen in the seccomp profile", address);
    default:
      return CannotListen(code, kChooseAnother, address);
  }
}

// civetweb does not report which address failed, and why. The same calls do.
Status CheckBindable(const ListenAddress& address) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ipv4);
  if (!socket.valid() || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    const int code = errno;  // formatting the address may change it
    return CannotBind(code, ToText(address));
  }
  return Success{};
}

constexpr std::size_t kStackBytes = 100UL * 1024;  // the stack size of civetweb's threads

void* WaitForLatch(void* all_started) {
  static_cast<std::latch*>(all_started)->wait();
  return nullptr;
}

}  // namespace

Result<std::vector<ListenAddress>> ParseAvailableAddresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = ParseListenAddress(text);
    if (!address) {
      return CannotListen(address.error().cause, address.error().remedy, text);
    }
    for (const ListenAddress& other : addresses) {
      if (Overlap(address.value(), other)) {
        return CannotListen("it overlaps with another address", "remove one of them", text, ToText(other));
      }
    }
    if (const Status bindable = CheckBindable(address.value()); !bindable) {
      return bindable.error();
    }
    addresses.push_back(address.value());
  }
  if (addresses.empty()) {
    return Error{"listen", "no address is configured", "set --web.listen-address, such as :13675"};
  }
  return addresses;
}

Status CheckServingThreads() {
  std::latch all_started(1);
  pthread_attr_t attributes{};
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  std::vector<pthread_t> threads;
  threads.reserve(kServingThreads);
  int error = 0;
  while (error == 0 && threads.size() < kServingThreads) {
    pthread_t thread{};
    error = ::pthread_create(&thread, &attributes, WaitForLatch, &all_started);
    if (error == 0) {
      threads.push_back(thread);
    }
  }
  ::pthread_attr_destroy(&attributes);
  all_started.count_down();
  for (const pthread_t thread : threads) {
    ::pthread_join(thread, nullptr);
  }
  if (error != 0) {
    static_assert(kServingThreads == 65, "the message contains the number");
    return Error{"start the 65 server threads", error, kThreadsRemedy};
  }
  return Success{};
}

}  // namespace procevent

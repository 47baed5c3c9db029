#include "exporter/http/server_resources.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <cerrno>
#include <latch>
#include <system_error>
#include <vector>

#include "core/base/file_descriptor.h"
#include "core/base/result.h"

namespace procevent {

std::runtime_error CannotListen(std::string_view address, std::string_view cause) {
  const std::string line = "cannot listen on " + std::string(address) + ": ";
  // civetweb tells what was short in words alone.
  if (cause.find("memory") != std::string_view::npos) {
    return std::runtime_error(line + std::string(cause.substr(0, cause.find("; "))) +
                              "; raise ulimit -v and -d (systemd: LimitAS, LimitDATA)");
  }
  return std::runtime_error(line + std::string(cause));
}

namespace {

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
      return "ports below 1024 need CAP_NET_BIND_SERVICE; choose another --web.listen-address, or give it that";
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

}  // namespace

std::vector<ListenAddress> ParseAvailableAddresses(const std::vector<std::string>& texts) {
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

namespace {

constexpr std::size_t kStackBytes = 100UL * 1024;  // as civetweb's threads have

void* AwaitAll(void* all_there) {
  static_cast<std::latch*>(all_there)->wait();
  return nullptr;
}

}  // namespace

Status CheckServingThreads() {
  std::latch all_there(1);
  pthread_attr_t attributes{};
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  std::vector<pthread_t> threads;
  threads.reserve(kServingThreads);
  int fault = 0;
  while (fault == 0 && threads.size() < kServingThreads) {
    pthread_t thread{};
    fault = ::pthread_create(&thread, &attributes, AwaitAll, &all_there);
    if (fault == 0) {
      threads.push_back(thread);
    }
  }
  ::pthread_attr_destroy(&attributes);
  all_there.count_down();
  for (const pthread_t thread : threads) {
    ::pthread_join(thread, nullptr);
  }
  if (fault != 0) {
    static_assert(kServingThreads == 65, "the text says how many");
    return Error{"start the 65 threads that serve", fault, kThreadsRemedy};
  }
  return Success{};
}

}  // namespace procevent

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
#include "core/base/thread.h"

namespace procevent {

std::runtime_error MakeListenError(std::string_view address, std::string_view cause_and_remedy) {
  const std::string line = "cannot listen on " + std::string(address) + ": ";
  // civetweb reports a lack of memory only in the text.
  if (cause_and_remedy.find("memory") != std::string_view::npos) {
    return std::runtime_error(line + std::string(cause_and_remedy.substr(0, cause_and_remedy.find("; "))) +
                              "; raise ulimit -v and -d (systemd: LimitAS, LimitDATA)");
  }
  return std::runtime_error(line + std::string(cause_and_remedy));
}

namespace {

// The rest of the message after the text of `code`: more about the cause where it helps, and the remedy.
std::string_view DescribeRemedy(int code) {
  switch (code) {
    case EADDRINUSE:
      return " by another program; choose another --web.listen-address, or stop that program";
    case EADDRNOTAVAIL:
      return " on this machine; choose another --web.listen-address";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    case EACCES:
      return "; choose another --web.listen-address, or grant CAP_NET_BIND_SERVICE for a port below 1024";
    default:
      return "; choose another --web.listen-address";
  }
}

// civetweb does not report which address failed, and why. A bind with the same options does.
void CheckBindable(const ListenAddress& address) {
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ipv4);
  if (!socket.valid() || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    const int code = errno;
    throw MakeListenError(ToText(address), std::generic_category().message(code) + std::string(DescribeRemedy(code)));
  }
}

constexpr std::size_t kStackBytes = 100UL * 1024;  // the stack size of civetweb's threads

void* WaitForLatch(void* all_started) {
  static_cast<std::latch*>(all_started)->wait();
  return nullptr;
}

}  // namespace

std::vector<ListenAddress> ParseAvailableAddresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = ParseListenAddress(text);
    if (!address) {
      throw MakeListenError(text, DescribeCauseAndRemedy(address.error()));
    }
    for (const ListenAddress& other : addresses) {
      if (Overlap(address.value(), other)) {
        throw MakeListenError(text, "it overlaps with " + ToText(other) + "; remove one of them");
      }
    }
    CheckBindable(address.value());
    addresses.push_back(address.value());
  }
  if (addresses.empty()) {
    throw std::runtime_error("cannot listen: no address is configured; set --web.listen-address, such as :13675");
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

#include "cmd/serve/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

#include "core/base/result.h"

namespace procevent {
namespace {

sigset_t Wanted() {
  sigset_t wanted{};
  ::sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    ::sigaddset(&wanted, signal);
  }
  return wanted;
}

}  // namespace

sigset_t BlockSignals() {
  const sigset_t wanted = Wanted();
  sigset_t before{};
  ::pthread_sigmask(SIG_BLOCK, &wanted, &before);
  return before;
}

void RestoreSignals(const sigset_t& blocked) { ::pthread_sigmask(SIG_SETMASK, &blocked, nullptr); }

SignalReceiver::SignalReceiver() {
  BlockSignals();
  const sigset_t wanted = Wanted();
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  fd_.Reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.valid()) {
    throw std::runtime_error(Describe({"make a signalfd", errno, "raise the limit of open files (ulimit -n)"}));
  }
}

int SignalReceiver::ReadSignal() const {
  signalfd_siginfo info{};
  const bool came = ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  return came ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace procevent

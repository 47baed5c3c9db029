#include "cmd/serve/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/base/fatal_error.h"
#include "core/base/result.h"

namespace procevent {
namespace {

sigset_t HandledSignals() {
  sigset_t handled{};
  ::sigemptyset(&handled);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    ::sigaddset(&handled, signal);
  }
  return handled;
}

}  // namespace

sigset_t BlockSignals() {
  const sigset_t handled = HandledSignals();
  sigset_t previous_mask{};
  ::pthread_sigmask(SIG_BLOCK, &handled, &previous_mask);
  return previous_mask;
}

void RestoreSignals(const sigset_t& previous_mask) { ::pthread_sigmask(SIG_SETMASK, &previous_mask, nullptr); }

SignalReceiver::SignalReceiver() {
  BlockSignals();
  const sigset_t handled = HandledSignals();
  for (const int ignored : {SIGPIPE, SIGUSR1, SIGUSR2}) {
    static_cast<void>(std::signal(ignored, SIG_IGN));
  }
  fd_.Reset(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.valid()) {
    throw FatalError({"make a signalfd", errno, "raise the limit of open files (ulimit -n)"});
  }
}

int SignalReceiver::ReadSignal() const {
  signalfd_siginfo info{};
  const bool pending = ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  return pending ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace procevent

#include "cmd/serve/signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

namespace procevent {
namespace {

// In a child process, because the signals stay blocked.
TEST(SignalReceiverTest, ReadsSignalsInsteadOfEndingTheProcess) {
  const auto scenario = [] {
    const SignalReceiver signals;
    if (signals.ReadSignal() != 0) {
      std::_Exit(1);
    }
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
      ::kill(::getpid(), signal);
      pollfd entry{signals.fd(), POLLIN, 0};
      if (::poll(&entry, 1, 10'000) != 1 || signals.ReadSignal() != signal) {
        std::_Exit(2);
      }
    }
    for (const int ignored : {SIGPIPE, SIGUSR1, SIGUSR2}) {
      ::kill(::getpid(), ignored);
    }
    std::_Exit(signals.ReadSignal() == 0 ? 0 : 3);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

TEST(SignalReceiverTest, ReadsASignalThatArrivedEarlier) {
  const auto scenario = [] {
    BlockSignals();
    ::kill(::getpid(), SIGTERM);
    const SignalReceiver signals;
    std::_Exit(signals.ReadSignal() == SIGTERM ? 0 : 1);
  };
  EXPECT_EXIT(scenario(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace procevent

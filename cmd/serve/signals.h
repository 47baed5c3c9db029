// Receives SIGTERM, SIGINT and SIGHUP through a file descriptor.
#pragma once

#include <csignal>

#include "core/base/file_descriptor.h"

namespace procevent {

// Blocks SIGTERM, SIGINT and SIGHUP. A signal that arrives before a SignalReceiver exists is the first that it reads.
// Returns the previous mask, for RestoreSignals.
sigset_t BlockSignals();
void RestoreSignals(const sigset_t& previous_mask);

// Made before the first thread is started, because threads inherit the blocked signals.
class SignalReceiver {
 public:
  // Blocks SIGTERM, SIGINT and SIGHUP. Ignores SIGPIPE, and SIGUSR1 and SIGUSR2, which would end the process without
  // ending its subscription. Throws FatalError if no descriptor is free.
  SignalReceiver();

  // Readable when a signal is pending.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Returns the pending signal, or 0.
  [[nodiscard]] int ReadSignal() const;

 private:
  OwnedFd fd_;
};

}  // namespace procevent

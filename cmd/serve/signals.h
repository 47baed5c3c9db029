// The signals that end the process, as a descriptor. Made before any thread is: they all inherit the block.
#pragma once

#include <csignal>

#include "core/base/file_descriptor.h"

namespace procevent {

// Holds SIGTERM, SIGINT and SIGHUP back from here on: one that comes before there is a Signals is what it takes first.
// Returns what was blocked before, for RestoreSignals.
sigset_t BlockSignals();
void RestoreSignals(const sigset_t& blocked);

class SignalReceiver {
 public:
  // Blocks SIGTERM, SIGINT and SIGHUP, and ignores SIGPIPE. Throws std::runtime_error if no descriptor is left.
  SignalReceiver();

  // Readable when one came.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // The one that came; 0 if none did.
  [[nodiscard]] int ReadSignal() const;

 private:
  OwnedFd fd_;
};

}  // namespace procevent

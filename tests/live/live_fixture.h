// For tests against the real connector, as root. Where that is not to be had they skip and say why;
// PROCEVENT_REQUIRE_LIVE=1 turns the skip into a failure.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/sources/connector/proc_connector.h"

namespace procevent {

class LiveTest : public testing::Test {
 protected:
  void SetUp() override;

  // Skips or fails if anybody else listens, and does not leave in time. To be called before the test opens a socket of
  // its own.
  static void RequireNoOtherListener();

  static ProcConnector OpenOrDie(const ConnectorOptions& options = {});
  static ProcConnector SubscribeOrDie(const ConnectorOptions& options = {});

  // Makes this many children that do nothing, and waits for each.
  static void Fork(int children);
  // The same in a process of its own, so that it can go on beside the test.
  static pid_t ForkInBackground(int children);
  static void WaitFor(pid_t child);

  // Runs `body` in a child; what it returned.
  static std::string RunInChild(const std::function<std::string()>& body);

  static std::uint64_t KernelForks();
};

// Calls `on_message` with everything that waits; how many datagrams that was.
std::size_t Drain(ProcConnector& connector, const std::function<void(const Message&)>& on_message);

// A plain record of every event heard, to hold one listener against another.
class ReceivedEvents {
 public:
  void Add(const Message& message);

  struct Count {
    std::uint64_t events = 0;
    std::uint64_t forks = 0;
  };
  // What this one heard on each CPU from the other's first event there to its last.
  [[nodiscard]] Count CountWithin(const ReceivedEvents& other) const;

 private:
  struct Heard {
    std::uint32_t sequence;
    bool fork;
  };
  std::map<std::uint32_t, std::vector<Heard>> cpus_;
};

}  // namespace procevent

// Fixture and tools of tests that use the real connector. They need root. Elsewhere they are skipped with the reason,
// or fail if PROCEVENT_REQUIRE_LIVE=1.
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

  // Skips or fails if another program is subscribed, and stays so. Call it before the test opens a socket.
  static void RequireNoOtherSubscriber();

  static ProcConnector OpenOrDie(const ConnectorOptions& options = {});
  static ProcConnector SubscribeOrDie(const ConnectorOptions& options = {});

  // Starts this many children one after the other; each exits at once.
  static void Fork(int children);
  // The same in a process of its own, which runs beside the test.
  static pid_t ForkInBackground(int children);
  static void WaitFor(pid_t child);

  // Runs `body` in a child, and returns its result.
  static std::string RunInChild(const std::function<std::string()>& body);

  static std::uint64_t KernelForks();
};

// Receives until the queue is empty, and calls `on_message` for each message. Returns the number of datagrams.
std::size_t Drain(ProcConnector& connector, const std::function<void(const Message&)>& on_message);

// The events that one socket received, by CPU, to compare them with those of another socket.
class ReceivedEvents {
 public:
  void Add(const Message& message);

  struct Count {
    std::uint64_t events = 0;
    std::uint64_t forks = 0;
  };
  // Counts the events on each CPU from the first to the last one that `other` has there.
  [[nodiscard]] Count CountWithin(const ReceivedEvents& other) const;

 private:
  struct ReceivedEvent {
    std::uint32_t sequence;
    bool fork;
  };
  std::map<std::uint32_t, std::vector<ReceivedEvent>> cpus_;
};

}  // namespace procevent

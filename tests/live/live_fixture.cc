#include "live_fixture.h"

#include <linux/netlink.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "core/protocol/encoder.h"
#include "core/sources/connector/connector_source.h"
#include "core/sources/connector/subscription_error.h"
#include "core/sources/procfs/proc_stats.h"

namespace procevent {
namespace {

std::string ReasonToSkip() {
  if (::geteuid() != 0) {
    return "live tests need root";
  }
  auto socket = ProcConnector::Open({});
  if (!socket) {
    return Describe(socket.error());
  }
  if (auto subscribed = socket.value().Subscribe(); !subscribed) {
    return Describe(subscribed.error());
  }
  socket.value().Unsubscribe();
  return "";
}

void SkipOrFail(const std::string& reason) {
  const char* const required = std::getenv("PROCEVENT_REQUIRE_LIVE");
  if (required != nullptr && std::string_view(required) == "1") {
    FAIL() << reason;
  }
  GTEST_SKIP() << reason;
}

// How many connector sockets are in the multicast group of process events, including those of this process.
int CountGroupSockets() {
  std::ifstream table("/proc/net/netlink");
  std::string line;
  int sockets = 0;
  for (std::getline(table, line); std::getline(table, line);) {
    std::istringstream fields(line);
    std::string address;
    int protocol = 0;
    unsigned port_id = 0;
    unsigned groups = 0;
    fields >> address >> protocol >> port_id >> std::hex >> groups;
    sockets += protocol == NETLINK_CONNECTOR && (groups & 1U) != 0 ? 1 : 0;
  }
  return sockets;
}

// A socket that never subscribed receives a canary only if the kernel counts at least one subscriber.
bool ReceivesCanary(ProcConnector& socket) {
  Canary canary;
  canary.SendCanary();
  bool received = false;
  Drain(socket, [&](const Message& message) {
    const auto* const comm = std::get_if<CommBody>(&message.event.body);
    received = received || (message.outcome == DecodeOutcome::kEvent && comm != nullptr && canary.IsCanaryEvent(*comm));
  });
  return received;
}

// Killed programs stay in the kernel's count of subscribers. Without sockets these subscriptions have no use. An
// invalid operation followed by IGNORE takes one from the count.
void EndLeftoverSubscriptions(ProcConnector& socket) {
  constexpr int kMaxRounds = 100'000;
  const Bytes invalid = EncodeRequest(ConnectorOperation::kInvalidOperation, 1);
  const Bytes ignore = EncodeRequest(ConnectorOperation::kIgnore, 2);
  for (int i = 0; i < kMaxRounds && ReceivesCanary(socket); ++i) {
    ASSERT_EQ(::write(socket.fd(), invalid.data(), invalid.size()), static_cast<ssize_t>(invalid.size()));
    ASSERT_EQ(::write(socket.fd(), ignore.data(), ignore.size()), static_cast<ssize_t>(ignore.size()));
  }
}

// Starts a child that exits at once, because its program does not exist. posix_spawn does not copy the page tables, as
// fork does. That takes milliseconds under the sanitizers.
void SpawnFailingChild() {
  pid_t child = 0;
  std::string name = "nothing";
  std::array<char*, 2> arguments{name.data(), nullptr};
  ASSERT_EQ(::posix_spawn(&child, "/nonexistent/program", nullptr, nullptr, arguments.data(), nullptr), ENOENT);
}

}  // namespace

void LiveTest::SetUp() {
  if (const std::string reason = ReasonToSkip(); !reason.empty()) {
    SkipOrFail(reason);
  }
}

void LiveTest::RequireNoOtherSubscriber() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (CountGroupSockets() > 0 && std::chrono::steady_clock::now() < deadline) {
    ::usleep(100'000);
  }
  if (CountGroupSockets() > 0) {
    SkipOrFail("another program is subscribed to the connector (ss -f netlink); stop it first");
    return;
  }
  ProcConnector socket = OpenOrDie();
  EndLeftoverSubscriptions(socket);
}

ProcConnector LiveTest::OpenOrDie(const ConnectorOptions& options) {
  auto opened = ProcConnector::Open(options);
  if (!opened) {
    throw std::runtime_error(Describe(opened.error()));
  }
  return std::move(opened).value();
}

ProcConnector LiveTest::SubscribeOrDie(const ConnectorOptions& options) {
  ProcConnector connector = OpenOrDie(options);
  if (auto subscribed = connector.Subscribe(); !subscribed) {
    throw std::runtime_error(Describe(subscribed.error()));
  }
  return connector;
}

void LiveTest::Fork(int children) {
  for (int i = 0; i < children; ++i) {
    SpawnFailingChild();
  }
}

pid_t LiveTest::ForkInBackground(int children) {
  const pid_t background = ::fork();
  if (background == 0) {
    Fork(children);
    ::_exit(0);
  }
  return background;
}

void LiveTest::WaitFor(pid_t child) { ASSERT_EQ(::waitpid(child, nullptr, 0), child); }

std::string LiveTest::RunInChild(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    return "cannot create a pipe";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string result = body();
    [[maybe_unused]] const auto written = ::write(ends[1], result.data(), result.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string result;
  std::array<char, 512> piece{};
  for (ssize_t got = 0; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    result.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return result;
}

std::uint64_t LiveTest::KernelForks() {
  const auto forks = ProcStatReader().ReadCloneCount();
  EXPECT_TRUE(forks.ok());
  return forks.value();
}

std::size_t Drain(ProcConnector& connector, const std::function<void(const Message&)>& on_message) {
  DatagramBatch batch;
  std::size_t datagrams = 0;
  for (auto received = connector.Receive(batch); received && received.value() > 0;
       received = connector.Receive(batch)) {
    datagrams += batch.size();
    ForEachKernelMessage(batch, on_message);
  }
  return datagrams;
}

void ReceivedEvents::Add(const Message& message) {
  if (message.outcome == DecodeOutcome::kEvent && message.event.cpu != kNoCpu) {
    cpus_[message.event.cpu].push_back({message.event.sequence, message.event.kind() == EventKind::kFork});
  }
}

ReceivedEvents::Count ReceivedEvents::CountWithin(const ReceivedEvents& other) const {
  Count count;
  for (const auto& [cpu, bounds] : other.cpus_) {
    const std::uint32_t first = bounds.front().sequence;
    const std::uint32_t length = bounds.back().sequence - first;
    const auto own = cpus_.find(cpu);
    if (own == cpus_.end()) {
      continue;
    }
    for (const ReceivedEvent& event : own->second) {
      if (event.sequence - first <= length) {  // numbers wrap
        ++count.events;
        count.forks += event.fork ? 1U : 0U;
      }
    }
  }
  return count;
}

}  // namespace procevent

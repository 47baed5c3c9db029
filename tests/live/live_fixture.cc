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

std::string WhyNotLive() {
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

// Sockets of the connector that are in its group, ours included: lines of /proc/net/netlink.
int ListeningSockets() {
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

// A socket that never subscribed hears our canary only if the kernel believes that somebody listens.
bool HearsCanary(ProcConnector& socket) {
  Canary canary;
  canary.SendCanary();
  bool heard = false;
  Drain(socket, [&](const Message& message) {
    const auto* const comm = std::get_if<CommBody>(&message.event.body);
    heard = heard || (message.outcome == DecodeOutcome::kEvent && comm != nullptr && canary.IsCanaryEvent(*comm));
  });
  return heard;
}

// Programs that were killed leave their subscription in the kernel's count. Without sockets nobody needs those.
void EndLeftoverSubscriptions(ProcConnector& socket) {
  constexpr int kMost = 100'000;
  const Bytes nonsense = EncodeRequest(ConnectorOperation::kInvalidOperation, 1);
  const Bytes ignore = EncodeRequest(ConnectorOperation::kIgnore, 2);
  for (int i = 0; i < kMost && HearsCanary(socket); ++i) {
    ASSERT_EQ(::write(socket.fd(), nonsense.data(), nonsense.size()), static_cast<ssize_t>(nonsense.size()));
    ASSERT_EQ(::write(socket.fd(), ignore.data(), ignore.size()), static_cast<ssize_t>(ignore.size()));
  }
}

// A child that ends at once, because its program does not exist. Not by fork: that copies the page tables, which under
// the sanitizers takes milliseconds.
void MakeChild() {
  pid_t child = 0;
  std::string name = "nothing";
  std::array<char*, 2> arguments{name.data(), nullptr};
  ASSERT_EQ(::posix_spawn(&child, "/nonexistent/program", nullptr, nullptr, arguments.data(), nullptr), ENOENT);
}

}  // namespace

void LiveTest::SetUp() {
  if (const std::string reason = WhyNotLive(); !reason.empty()) {
    SkipOrFail(reason);
  }
}

void LiveTest::RequireNoOtherListener() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ListeningSockets() > 0 && std::chrono::steady_clock::now() < deadline) {
    ::usleep(100'000);
  }
  if (ListeningSockets() > 0) {
    SkipOrFail("another program listens to the connector (ss -f netlink): stop it first");
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
    MakeChild();
  }
}

pid_t LiveTest::ForkInBackground(int children) {
  const pid_t beside = ::fork();
  if (beside == 0) {
    Fork(children);
    ::_exit(0);
  }
  return beside;
}

void LiveTest::WaitFor(pid_t child) { ASSERT_EQ(::waitpid(child, nullptr, 0), child); }

std::string LiveTest::RunInChild(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    return "no pipe";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string said = body();
    [[maybe_unused]] const auto written = ::write(ends[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 512> piece{};
  for (ssize_t got = 0; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    said.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

std::uint64_t LiveTest::KernelForks() {
  const auto forks = ProcStatReader().ReadCloneCount();
  EXPECT_TRUE(forks.ok());
  return forks.value();
}

std::size_t Drain(ProcConnector& connector, const std::function<void(const Message&)>& on_message) {
  DatagramBatch batch;
  Message message;
  std::size_t datagrams = 0;
  for (auto received = connector.Receive(batch); received && received.value() > 0;
       received = connector.Receive(batch)) {
    datagrams += batch.size();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Decoder decoder(batch[i].bytes);
      while (batch[i].origin == Datagram::Origin::kKernel && decoder.Next(message)) {
        on_message(message);
      }
    }
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
    const auto mine = cpus_.find(cpu);
    if (mine == cpus_.end()) {
      continue;
    }
    for (const Heard& heard : mine->second) {
      if (heard.sequence - first <= length) {  // numbers wrap
        ++count.events;
        count.forks += heard.fork ? 1U : 0U;
      }
    }
  }
  return count;
}

}  // namespace procevent

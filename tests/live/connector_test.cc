#include <linux/netlink.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <set>
#include <vector>

#include "core/protocol/encoder.h"
#include "core/protocol/event.h"
#include "core/protocol/wire.h"
#include "core/sources/connector/connector_source.h"
#include "core/sources/connector/proc_connector.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class ConnectorTest : public LiveTest {
 protected:
  // Receives every event in the queue.
  static std::vector<Event> ReceiveEvents(ProcConnector& connector) {
    std::vector<Event> events;
    Drain(connector, [&events](const Message& message) {
      if (message.outcome == DecodeOutcome::kEvent) {
        events.push_back(message.event);
      }
    });
    return events;
  }

  static std::set<EventKind> Kinds(const std::vector<Event>& events) {
    std::set<EventKind> kinds;
    for (const Event& event : events) {
      kinds.insert(event.kind());
    }
    return kinds;
  }

  // Causes at least one fork, exec, exit and comm event.
  static void CauseEvents() {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(127);
    }
    WaitFor(child);
    ::prctl(PR_SET_NAME, "live_test");
  }

  static bool ReceivesCanary(ProcConnector& connector) {
    ReceiveEvents(connector);
    Canary canary;
    canary.SendCanary();
    for (const Event& event : ReceiveEvents(connector)) {
      const auto* const comm = std::get_if<CommBody>(&event.body);
      if (comm != nullptr && canary.IsCanaryEvent(*comm)) {
        return true;
      }
    }
    return false;
  }
};

TEST_F(ConnectorTest, ReportsAChildFromForkToExit) {
  ProcConnector connector = SubscribeOrDie();
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(3);
  }
  WaitFor(child);
  bool forked = false;
  bool exited = false;
  const auto deadline = std::chrono::steady_clock::now() + 20s;  // an EXIT may come after waitpid returned
  while (!exited && std::chrono::steady_clock::now() < deadline) {
    for (const Event& event : ReceiveEvents(connector)) {
      if (const auto* const fork = std::get_if<ForkBody>(&event.body); fork != nullptr && fork->child.pid == child) {
        EXPECT_EQ(fork->parent.tgid, ::getpid());
        forked = true;
      }
      if (const auto* const exit = std::get_if<ExitBody>(&event.body); exit != nullptr && exit->task.pid == child) {
        EXPECT_TRUE(forked);
        EXPECT_EQ(DecodeWaitStatus(exit->wait_status), (WaitStatus{.status = 3}));
        exited = true;
      }
    }
  }
  EXPECT_TRUE(exited);
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, ReceivesItsAckFirst) {
  ProcConnector connector = SubscribeOrDie();
  const std::vector<Event> events = ReceiveEvents(connector);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().kind(), EventKind::kAck);
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, DropsEventsBeforeItsAck) {
  ProcConnector other = SubscribeOrDie();
  ProcConnector connector = OpenOrDie();
  Fork(50);  // received by the open socket, because the other one is subscribed
  ASSERT_GT(connector.Memory().used_bytes, 0U);
  ASSERT_TRUE(connector.Subscribe().ok());
  const std::vector<Event> events = ReceiveEvents(connector);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().kind(), EventKind::kAck);
  for (const Event& event : events) {
    EXPECT_GE(event.timestamp_ns, events.front().timestamp_ns);
  }
  connector.Unsubscribe();
  other.Unsubscribe();
}

TEST_F(ConnectorTest, ReceivesNothingAfterUnsubscribing) {
  RequireNoOtherSubscriber();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  ProcConnector connector = SubscribeOrDie();
  EXPECT_TRUE(ReceivesCanary(connector));
  connector.Unsubscribe();
  EXPECT_FALSE(ReceivesCanary(connector));
}

TEST_F(ConnectorTest, SubscribesAgain) {
  ProcConnector connector = SubscribeOrDie();
  connector.Unsubscribe();
  ASSERT_TRUE(connector.Subscribe().ok());
  EXPECT_TRUE(ReceivesCanary(connector));
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, ReceiveTimesOut) {
  RequireNoOtherSubscriber();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  ProcConnector connector = OpenOrDie();
  DatagramBatch batch;
  const auto nothing = connector.Receive(batch, 1ms);
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing.value(), 0U);
  ASSERT_TRUE(connector.Subscribe().ok());
  const auto ack = connector.Receive(batch, 20s);
  ASSERT_TRUE(ack.ok());
  EXPECT_GE(ack.value(), 1U);
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, ReceiveRawReturnsOneWholeDatagram) {
  ProcConnector connector = SubscribeOrDie();
  std::array<std::byte, 16> buffer{};
  const auto length = connector.ReceiveRaw(buffer);
  ASSERT_TRUE(length.ok());
  EXPECT_EQ(length.value(), wire::kDatagram);
  EXPECT_EQ(buffer[0], std::byte{wire::kDatagram});
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, ForcesTheReceiveBuffer) {
  const ProcConnector connector = OpenOrDie({.receive_buffer_bytes = 32U << 20U});
  EXPECT_EQ(connector.Memory().limit_bytes, 64U << 20U);
}

TEST_F(ConnectorTest, WithoutPrivilegeHasASmallBufferOrNamesTheCapability) {
  const std::string result = RunInChild([] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      return std::string("cannot become nobody");
    }
    auto opened = ProcConnector::Open({});
    if (!opened) {
      return Describe(opened.error());
    }
    auto subscribed = opened.value().Subscribe();
    if (!subscribed) {
      return Describe(subscribed.error());
    }
    const bool small = opened.value().Memory().limit_bytes < (64U << 20U);
    opened.value().Unsubscribe();
    return std::string(small ? "small" : "large");
  });
  EXPECT_TRUE(result == "small" || result.find("NET_ADMIN") != std::string::npos) << result;
}

TEST_F(ConnectorTest, KernelMaskSelectsEventsAndKeepsComm) {
  ProcConnector connector = SubscribeOrDie({.events = EventMask::None().With(EventKind::kExec)});
  CauseEvents();
  EXPECT_EQ(Kinds(ReceiveEvents(connector)), (std::set{EventKind::kExec, EventKind::kComm}));
  connector.Unsubscribe();
}

// The way before Linux 6.6. Only one filter is attached, because detaching is slow on some kernels.
TEST_F(ConnectorTest, SocketFilterSelectsTheSameEvents) {
  ProcConnector connector = SubscribeOrDie();
  ASSERT_TRUE(AttachEventFilter(connector.fd(), EventMask::None().With(EventKind::kExec).With(EventKind::kComm)).ok());
  ReceiveEvents(connector);
  CauseEvents();
  EXPECT_EQ(Kinds(ReceiveEvents(connector)), (std::set{EventKind::kExec, EventKind::kComm}));
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, ReportsAForgedEventAsForeign) {
  const ProcConnector victim = OpenOrDie();
  sockaddr_nl address{};
  socklen_t length = sizeof address;
  ASSERT_EQ(::getsockname(victim.fd(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const OwnedFd forger(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR));
  Event event;
  event.body = ForkBody{{1, 1}, {2, 2}};
  const Bytes forged = EncodeEvent(event);
  address.nl_groups = 0;
  ASSERT_EQ(
      ::sendto(forger.get(), forged.data(), forged.size(), 0, reinterpret_cast<sockaddr*>(&address), sizeof address),
      static_cast<ssize_t>(forged.size()));
  DatagramBatch batch;
  int foreign = 0;
  do {  // with the kernel's events, if another program is subscribed
    ASSERT_TRUE(batch.FillFrom(victim.fd()).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      foreign += batch[i].origin == Datagram::Origin::kForeign ? 1 : 0;
    }
  } while (batch.full());
  EXPECT_EQ(foreign, 1);
}

}  // namespace
}  // namespace procevent

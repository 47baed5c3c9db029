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
  // Everything that waits, as events.
  static std::vector<Event> Events(ProcConnector& connector) {
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

  // At least one event of each of several kinds: fork, exec, exit, comm.
  static void MakeEvents() {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(127);
    }
    WaitFor(child);
    ::prctl(PR_SET_NAME, "live_test");
  }

  static bool Hears(ProcConnector& connector) {
    Events(connector);
    Canary canary;
    canary.SendCanary();
    for (const Event& event : Events(connector)) {
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
    for (const Event& event : Events(connector)) {
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

TEST_F(ConnectorTest, OurAckIsTheFirstThingToReceive) {
  ProcConnector connector = SubscribeOrDie();
  const std::vector<Event> events = Events(connector);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().kind(), EventKind::kAck);
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, EventsBeforeOurAckAreThrownAway) {
  ProcConnector other = SubscribeOrDie();
  ProcConnector connector = OpenOrDie();
  Fork(50);  // heard by the open socket, for somebody else listens
  ASSERT_GT(connector.Memory().used_bytes, 0U);
  ASSERT_TRUE(connector.Subscribe().ok());
  const std::vector<Event> events = Events(connector);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().kind(), EventKind::kAck);
  for (const Event& event : events) {
    EXPECT_GE(event.timestamp_ns, events.front().timestamp_ns);
  }
  connector.Unsubscribe();
  other.Unsubscribe();
}

TEST_F(ConnectorTest, UnsubscribingSilencesTheKernel) {
  RequireNoOtherListener();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  ProcConnector connector = SubscribeOrDie();
  EXPECT_TRUE(Hears(connector));
  connector.Unsubscribe();
  EXPECT_FALSE(Hears(connector));
}

TEST_F(ConnectorTest, ASubscriptionCanBeginAgain) {
  ProcConnector connector = SubscribeOrDie();
  connector.Unsubscribe();
  ASSERT_TRUE(connector.Subscribe().ok());
  EXPECT_TRUE(Hears(connector));
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, ReceivingWaitsAndThenGivesUp) {
  RequireNoOtherListener();
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

TEST_F(ConnectorTest, RawIsOneDatagramAsItCame) {
  ProcConnector connector = SubscribeOrDie();
  std::array<std::byte, 16> buffer{};
  const auto length = connector.ReceiveRaw(buffer);
  ASSERT_TRUE(length.ok());
  EXPECT_EQ(length.value(), wire::kDatagram);
  EXPECT_EQ(buffer[0], std::byte{wire::kDatagram});
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, TheBufferIsForced) {
  const ProcConnector connector = OpenOrDie({.receive_buffer_bytes = 32U << 20U});
  EXPECT_EQ(connector.Memory().limit_bytes, 64U << 20U);
}

TEST_F(ConnectorTest, WithoutPrivilegeTheBufferIsSmallOrTheErrorNamesTheCapability) {
  const std::string said = RunInChild([] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      return std::string("no nobody");
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
  EXPECT_TRUE(said == "small" || said.find("NET_ADMIN") != std::string::npos) << said;
}

TEST_F(ConnectorTest, AKernelMaskNarrowsAndKeepsComm) {
  ProcConnector connector = SubscribeOrDie({.events = EventMask::None().With(EventKind::kExec)});
  MakeEvents();
  EXPECT_EQ(Kinds(Events(connector)), (std::set{EventKind::kExec, EventKind::kComm}));
  connector.Unsubscribe();
}

// How it is done before 6.6. One filter, attached once: they are slow to go on some kernels.
TEST_F(ConnectorTest, ASocketFilterNarrowsAlike) {
  ProcConnector connector = SubscribeOrDie();
  ASSERT_TRUE(AttachEventFilter(connector.fd(), EventMask::None().With(EventKind::kExec).With(EventKind::kComm)).ok());
  Events(connector);
  MakeEvents();
  EXPECT_EQ(Kinds(Events(connector)), (std::set{EventKind::kExec, EventKind::kComm}));
  connector.Unsubscribe();
}

TEST_F(ConnectorTest, AForgedEventIsToldFromTheKernels) {
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
  do {  // with the kernel's own, if somebody else listens
    ASSERT_TRUE(batch.FillFrom(victim.fd()).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      foreign += batch[i].origin == Datagram::Origin::kForeign ? 1 : 0;
    }
  } while (batch.full());
  EXPECT_EQ(foreign, 1);
}

}  // namespace
}  // namespace procevent

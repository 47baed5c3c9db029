#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <variant>

#include "core/base/system.h"
#include "core/reader/input_processor.h"
#include "core/sources/connector/connector_source.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class LossTest : public LiveTest {
 protected:
  static void Apply(ConnectorSource& source, InputProcessor& processor, ReceivedEvents& received_events) {
    const auto apply = [&](const Message& message) {
      const auto before = processor.stream().rejected;
      processor.ApplyMessage(message, MonotonicNanos());
      if (processor.stream().rejected == before) {
        received_events.Add(message);
      }
    };
    for (bool emptied = false; !emptied;) {
      const auto received = source.Receive();
      ASSERT_TRUE(received.ok());
      emptied = received.value().emptied;
      for (const Input& input : source.inputs()) {
        if (const auto* const datagram = std::get_if<ConnectorDatagram>(&input)) {
          ForEachMessage(datagram->bytes, apply);
        }
      }
    }
  }

  static void SendCanaryOnEachCpu() { ASSERT_TRUE(Canary().SendCanaryOnEachCpu(UINT64_MAX)); }

  static constexpr ConnectorOptions kLargeBuffer{.receive_buffer_bytes = 64U << 20U};
  static constexpr ConnectorOptions kTinyBuffer{.receive_buffer_bytes = 64U << 10U};
};

// The reference has a large buffer and loses nothing. The tiny socket is not read while the events are generated. On
// each CPU, from its first event to its last, its received and lost events are as many as the reference received.
TEST_F(LossTest, ReceivedPlusLostIsGenerated) {
  ProcConnector reference = SubscribeOrDie(kLargeBuffer);
  ProcConnector tiny = SubscribeOrDie(kTinyBuffer);
  SendCanaryOnEachCpu();
  InputProcessor processor(PossibleCpus(), EventCoverage::kAll);
  ReceivedEvents received_events;
  const auto apply = [&](const Message& message) {
    processor.ApplyMessage(message, MonotonicNanos());
    received_events.Add(message);
  };
  Drain(tiny, apply);
  Fork(2000);
  Drain(tiny, apply);
  SendCanaryOnEachCpu();
  Drain(tiny, apply);
  ReceivedEvents generated;
  Drain(reference, [&generated](const Message& message) { generated.Add(message); });
  ASSERT_EQ(reference.Memory().drops, 0U) << "the reference lost events";
  const ReceivedEvents::Count expected = generated.CountWithin(received_events);
  const ReceivedEvents::Count received = received_events.CountWithin(received_events);
  EXPECT_GE(expected.forks, 2000U) << "the compared range does not cover the forks";
  EXPECT_GT(processor.lost(), 0U) << "nothing was lost: this test shows nothing";
  EXPECT_EQ(received.events + processor.lost(), expected.events);
  EXPECT_LE(received.forks, expected.forks);
  EXPECT_LE(expected.forks - received.forks, processor.lost());
  tiny.Unsubscribe();
  reference.Unsubscribe();
}

// While resubscribing, events that reach both sockets are counted once, and no event is missed between them.
TEST_F(LossTest, ResubscribingInAStormNeitherLosesNorRepeatsEvents) {
  ProcConnector reference = SubscribeOrDie(kLargeBuffer);
  ConnectorSource source(kLargeBuffer);
  ASSERT_TRUE(source.Resubscribe(1s).ok());
  InputProcessor processor(PossibleCpus(), EventCoverage::kAll);
  ReceivedEvents received_events;
  Apply(source, processor, received_events);
  SendCanaryOnEachCpu();
  Apply(source, processor, received_events);
  const pid_t storm = ForkInBackground(4000);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(source.Resubscribe(1s).ok());
    ::usleep(5000);
    Apply(source, processor, received_events);
  }
  WaitFor(storm);
  SendCanaryOnEachCpu();
  Apply(source, processor, received_events);
  EXPECT_GE(received_events.CountWithin(received_events).forks, 4000U);
  EXPECT_EQ(processor.lost(), 0U);
  EXPECT_EQ(source.Queue().drops, 0U);
  EXPECT_GT(processor.stream().rejected.at(static_cast<std::size_t>(Rejection::kRepeated)), 0U)
      << "no event reached two sockets: this test shows nothing";
  ReceivedEvents generated;
  Drain(reference, [&generated](const Message& message) { generated.Add(message); });
  ASSERT_EQ(reference.Memory().drops, 0U) << "the reference lost events";
  EXPECT_EQ(received_events.CountWithin(received_events).events, generated.CountWithin(received_events).events);
  source.Close();
  reference.Unsubscribe();
}

std::uint64_t AvailableMebibytes() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kibibytes = 0;
  while (file >> key && key != "MemAvailable:") {
  }
  file >> kibibytes;
  return kibibytes >> 10U;
}

// A replaced socket is drained to its end, however many datagrams its buffer held: 1.2 million need 950 MiB.
TEST_F(LossTest, ResubscribingKeepsEveryUnreadEventOfAHugeBuffer) {
  constexpr std::uint64_t kEvents = 1'200'000;
  if (AvailableMebibytes() < 3072) {
    GTEST_SKIP() << "needs 3 GiB of available memory";
  }
  ConnectorSource source({.receive_buffer_bytes = 600U << 20U});
  ASSERT_TRUE(source.Resubscribe(1s).ok());
  for (std::uint64_t i = 0; i < kEvents; ++i) {
    ::prctl(PR_SET_NAME, "huge-buffer");
  }
  ASSERT_TRUE(source.Resubscribe(1s).ok());
  InputProcessor processor(PossibleCpus(), EventCoverage::kAll);
  ReceivedEvents received_events;
  Apply(source, processor, received_events);
  ASSERT_EQ(source.Queue().drops, 0U) << "the buffer was too small: this test shows nothing";
  EXPECT_EQ(processor.lost(), 0U);
  EXPECT_GE(processor.stream().events_of(EventKind::kComm), kEvents);
  source.Close();
}

}  // namespace
}  // namespace procevent

#include <unistd.h>

#include <chrono>

#include "core/base/system.h"
#include "core/ledger/ledger.h"
#include "core/sources/connector/connector_source.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using namespace std::chrono_literals;

class LossTest : public LiveTest {
 protected:
  static void Book(ConnectorSource& source, Ledger& ledger, ReceivedEvents& heard) {
    DatagramBatch batch;
    Message message;
    for (bool emptied = false; !emptied;) {
      const auto received = source.Receive(batch);
      ASSERT_TRUE(received.ok());
      emptied = received.value().emptied;
      for (std::size_t i = 0; i < batch.size(); ++i) {
        Decoder decoder(batch[i].bytes);
        while (decoder.Next(message)) {
          const auto before = ledger.stream().rejected;
          ledger.ApplyMessage(message, MonotonicNanos());
          if (ledger.stream().rejected == before) {
            heard.Add(message);
          }
        }
      }
    }
  }

  static void SoundOnEveryCpu() { ASSERT_TRUE(Canary().SendCanaryOnEachCpu(UINT64_MAX)); }

  static constexpr ConnectorOptions kLarge{.receive_buffer_bytes = 64U << 20U};
  static constexpr ConnectorOptions kTiny{.receive_buffer_bytes = 64U << 10U};
};

// The tiny socket is not read while the events are made; the large one is the oracle. What the tiny one received and
// what its gaps say was lost is, on each CPU from its first event to its last, what the oracle has there.
TEST_F(LossTest, ReceivedAndLostAreWhatWasMade) {
  ProcConnector oracle = SubscribeOrDie(kLarge);
  ProcConnector tiny = SubscribeOrDie(kTiny);
  SoundOnEveryCpu();
  Ledger ledger(PossibleCpus(), EventCoverage::kAll);
  ReceivedEvents heard;
  const auto book = [&](const Message& message) {
    ledger.ApplyMessage(message, MonotonicNanos());
    heard.Add(message);
  };
  Drain(tiny, book);
  Fork(2000);
  Drain(tiny, book);
  SoundOnEveryCpu();
  Drain(tiny, book);
  ReceivedEvents made;
  Drain(oracle, [&made](const Message& message) { made.Add(message); });
  ASSERT_EQ(oracle.Memory().drops, 0U) << "the oracle itself lost events";
  const ReceivedEvents::Count truth = made.CountWithin(heard);
  const ReceivedEvents::Count received = heard.CountWithin(heard);
  EXPECT_GE(truth.forks, 2000U) << "the stretch does not cover the forks";
  EXPECT_GT(ledger.lost(), 0U) << "nothing was lost: this test shows nothing";
  EXPECT_EQ(received.events + ledger.lost(), truth.events);
  EXPECT_LE(received.forks, truth.forks);
  EXPECT_LE(truth.forks - received.forks, ledger.lost());
  tiny.Unsubscribe();
  oracle.Unsubscribe();
}

// Events that reach both sockets of a changeover are booked once, and none falls between them.
TEST_F(LossTest, RenewalsInAStormLoseAndDoubleNothing) {
  ProcConnector oracle = SubscribeOrDie(kLarge);
  ConnectorSource source(kLarge);
  ASSERT_TRUE(source.Resubscribe(1s).ok());
  Ledger ledger(PossibleCpus(), EventCoverage::kAll);
  ReceivedEvents heard;
  Book(source, ledger, heard);
  SoundOnEveryCpu();
  Book(source, ledger, heard);
  const pid_t storm = ForkInBackground(4000);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(source.Resubscribe(1s).ok());
    ::usleep(5000);
    Book(source, ledger, heard);
  }
  WaitFor(storm);
  SoundOnEveryCpu();
  Book(source, ledger, heard);
  EXPECT_GE(heard.CountWithin(heard).forks, 4000U);
  EXPECT_EQ(ledger.lost(), 0U);
  EXPECT_EQ(source.Queue().drops, 0U);
  EXPECT_GT(ledger.stream().rejected.at(static_cast<std::size_t>(Rejection::kRepeated)), 0U)
      << "no event reached two sockets: this test shows nothing";
  ReceivedEvents made;
  Drain(oracle, [&made](const Message& message) { made.Add(message); });
  ASSERT_EQ(oracle.Memory().drops, 0U) << "the oracle itself lost events";
  EXPECT_EQ(heard.CountWithin(heard).events, made.CountWithin(heard).events);
  source.Close();
  oracle.Unsubscribe();
}

}  // namespace
}  // namespace procevent

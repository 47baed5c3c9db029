// Measures the cost of an event in the decoder, and in tracker and statistics. Run it from a build with release flags,
// on an idle machine.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"
#include "core/reader/input_processor.h"

namespace procevent {
namespace {

constexpr std::size_t kDatagrams = 512;
constexpr Task kParent{.pid = 4000, .tgid = 4000};
constexpr Task kChild{.pid = 4001, .tgid = 4001};

// A mix like that of a host that starts programs: fork, exec, exit, and sometimes comm, uid and sid.
Event MakeEvent(std::uint32_t number) {
  const std::array<Event::Body, 10> mix{ForkBody{kParent, kChild},
                                        ExecBody{kChild},
                                        ExitBody{.task = kChild, .parent_signal = 17, .parent = kParent},
                                        ForkBody{kParent, kChild},
                                        ExecBody{kChild},
                                        ExitBody{.task = kChild, .parent_signal = 17, .parent = kParent},
                                        ForkBody{kParent, kChild},
                                        CommBody{kChild, {"bench"}},
                                        UidBody{kChild, 1000, 1000},
                                        SidBody{kChild}};
  return {
      .sequence = number, .cpu = 0, .timestamp_ns = 1'000'000ULL + number * 500ULL, .body = mix[number % mix.size()]};
}

std::vector<Bytes> Datagrams() {
  std::vector<Bytes> datagrams;
  for (std::uint32_t number = 0; number < kDatagrams; ++number) {
    datagrams.push_back(EncodeEvent(MakeEvent(number)));
  }
  return datagrams;
}

void DecodeEvents(benchmark::State& state) {
  const std::vector<Bytes> datagrams = Datagrams();
  for ([[maybe_unused]] auto round : state) {
    for (const Bytes& datagram : datagrams) {
      ForEachMessage(datagram, [&](Message& message) { benchmark::DoNotOptimize(message); });
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kDatagrams));
}
BENCHMARK(DecodeEvents);

void RecordEvents(benchmark::State& state) {
  std::vector<Message> messages;
  for (std::uint32_t number = 0; number < kDatagrams; ++number) {
    messages.push_back({.outcome = DecodeOutcome::kEvent, .event = MakeEvent(number)});
  }
  InputProcessor processor(1, EventCoverage::kAll);
  for ([[maybe_unused]] auto round : state) {
    for (Message& message : messages) {
      processor.ApplyMessage(message, 6'000'000);
      message.event.sequence += kDatagrams;  // continues the sequence in the next round
    }
    benchmark::ClobberMemory();
  }
  if (processor.lost() != 0) {
    state.SkipWithError("the processor counted losses although none occurred");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kDatagrams));
}
BENCHMARK(RecordEvents);

}  // namespace
}  // namespace procevent

BENCHMARK_MAIN();

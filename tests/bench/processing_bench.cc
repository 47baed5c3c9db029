// Measures the cost of an event in decoder, tracker and statistics, and the cost of a snapshot. The events are those of
// a real storm, received from the kernel at start (as root, otherwise skipped), of a synthetic host with 10 000
// processes and 500 commands, and of a process that renames itself without end. Run it from a build with release flags,
// on an idle machine.
#include <benchmark/benchmark.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base/system.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/reader/input_processor.h"
#include "core/reader/snapshot_exchange.h"
#include "core/sources/connector/proc_connector.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it nowhere else

namespace procevent {
namespace {

constexpr std::size_t kBatch = 100;  // events between two rounds of requests for names
constexpr std::size_t kEvents = 200'000;

// Datagrams in one contiguous buffer.
class Stream {
 public:
  void Append(std::span<const std::byte> datagram) {
    bytes_.insert(bytes_.end(), datagram.begin(), datagram.end());
    ends_.push_back(bytes_.size());
  }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::span<const std::byte> operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::span(bytes_).subspan(begin, ends_[i] - begin);
  }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> ends_;
};

// Returns the datagrams of a fork, an exec and a thread storm with two workers each, as the kernel sent them.
Stream RealStorm() {
  Stream stream;
  auto opened = ProcConnector::Open({.receive_buffer_bytes = 256U << 20U});
  if (!opened || !opened.value().Subscribe()) {
    return stream;
  }
  ProcConnector connector = std::move(opened).value();
  const std::string storm = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "storm";
  for (const std::string kind : {"fork", "exec", "threads"}) {
    std::string program = storm, dash_kind = "--kind", name = kind, dash_count = "--count", count = "15000",
                dash_workers = "--workers", workers = "2";
    std::vector<char*> arguments{program.data(), dash_kind.data(),    name.data(),    dash_count.data(),
                                 count.data(),   dash_workers.data(), workers.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, storm.c_str(), nullptr, nullptr, arguments.data(), environ) == 0) {
      ::waitpid(child, nullptr, 0);
    }
  }
  DatagramBatch batch;
  for (auto count = connector.Receive(batch, std::chrono::milliseconds(100)); count && count.value() > 0;
       count = connector.Receive(batch)) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      stream.Append(batch[i].bytes);
    }
  }
  connector.Unsubscribe();
  return stream;
}

// Appends events of one CPU to streams, in the order of their times.
class EventWriter {
 public:
  void Append(Stream& stream, const Event::Body& body) {
    constexpr std::uint64_t kEventGapNanos = 2'000;
    stream.Append(EncodeEvent(
        {.sequence = sequence_, .cpu = 0, .timestamp_ns = kNanosPerSecond + sequence_ * kEventGapNanos, .body = body}));
    ++sequence_;
  }

 private:
  std::uint32_t sequence_ = 0;
};

std::array<char, kCommSize> NumberedName(std::string_view prefix, std::int32_t number) {
  std::array<char, kCommSize> name{};
  std::ranges::copy(std::string(prefix) + std::to_string(number), name.begin());
  return name;
}

// Generates events of long-lived processes that fork short-lived ones, half of which execute a program.
class SyntheticHost {
 public:
  // Nine of ten forks are by one of the `busy` first processes, the others by any. With 0 all are by any.
  explicit SyntheticHost(std::int32_t busy = 0) : busy_(busy) {}

  Stream LongLivedProcesses() {
    Stream stream;
    for (std::int32_t i = 0; i < kLongLived; ++i) {
      const Task process{kFirst + i, kFirst + i};
      Append(stream, ForkBody{{1, 1}, process});
      Append(stream, CommBody{process, NameOf(i % kCommands)});
    }
    return stream;
  }

  Stream Events() {
    Stream stream;
    while (stream.size() < kEvents) {
      const Task parent = AnyLongLived();
      const Task child{next_, next_};
      next_ = next_ < 4'000'000 ? next_ + 1 : kFirst + kLongLived;
      Append(stream, ForkBody{parent, child});
      if (Chance(2)) {
        Append(stream, ExecBody{child});
        Append(stream, CommBody{child, NameOf(Below(kCommands))});
      }
      if (Chance(4)) {
        const Task thread{next_++, child.tgid};
        Append(stream, ForkBody{parent, thread});
        Append(stream, ExitBody{.task = thread, .parent_signal = UINT32_MAX, .parent = {}});
      }
      Append(stream,
             ExitBody{.task = child, .wait_status = Chance(8) ? 256U : 0U, .parent_signal = 17, .parent = parent});
    }
    return stream;
  }

 private:
  static constexpr std::int32_t kLongLived = 10'000;
  static constexpr std::int32_t kCommands = 500;
  static constexpr std::int32_t kFirst = 100;

  static std::array<char, kCommSize> NameOf(std::int32_t number) { return NumberedName("command-", number); }
  std::int32_t Below(std::int32_t limit) { return std::uniform_int_distribution(0, limit - 1)(random_); }
  bool Chance(std::int32_t in) { return Below(in) == 0; }
  Task AnyLongLived() {
    const std::int32_t tgid = kFirst + Below(busy_ != 0 && !Chance(10) ? busy_ : kLongLived);
    return {tgid, tgid};
  }
  void Append(Stream& stream, const Event::Body& body) { writer_.Append(stream, body); }

  std::int32_t busy_;
  std::mt19937 random_{1};
  std::int32_t next_ = kFirst + kLongLived;
  EventWriter writer_;
};

// Generates events of a process that renames itself again and again. It forks one child under each name, which exits.
class RenameFlood {
 public:
  Stream Start() {
    Stream stream;
    writer_.Append(stream, ForkBody{{1, 1}, kProcess});
    return stream;
  }
  void AppendNames(Stream& stream, std::int32_t names) {
    for (const std::int32_t end = next_ + names; next_ < end; ++next_) {
      const Task child{kProcess.tgid + 1 + next_, kProcess.tgid + 1 + next_};
      writer_.Append(stream, CommBody{kProcess, NumberedName("name-", next_)});
      writer_.Append(stream, ForkBody{kProcess, child});
      writer_.Append(stream, ExitBody{.task = child, .parent_signal = 17, .parent = kProcess});
    }
  }

 private:
  static constexpr Task kProcess{100, 100};
  std::int32_t next_ = 0;
  EventWriter writer_;
};

void ApplyStream(InputProcessor& processor, const Stream& stream) {
  std::uint64_t applied_until_ns = 0;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    ForEachMessage(stream[i], [&](const Message& message) {
      applied_until_ns = message.event.timestamp_ns;
      processor.ApplyMessage(message, applied_until_ns + 5'000'000);
    });
    if (i % kBatch == 0) {
      processor.Advance(applied_until_ns);
      processor.reconciler().ConfirmUpTo(applied_until_ns);
      while (processor.reconciler().NextRequest()) {  // unanswered: reading /proc is not measured
      }
    }
  }
}

void Measure(benchmark::State& state, const Stream& before, const Stream& stream, const CountingOptions& options = {}) {
  if (stream.size() < 100'000) {
    state.SkipWithError("cannot receive a storm: this requires root and the connector");
    return;
  }
  for ([[maybe_unused]] auto round : state) {
    state.PauseTiming();
    auto processor = std::make_unique<InputProcessor>(PossibleCpus(), EventCoverage::kAll, options);
    ApplyStream(*processor, before);
    state.ResumeTiming();
    ApplyStream(*processor, stream);
    benchmark::ClobberMemory();
    state.PauseTiming();
    if (processor->lost() != 0) {
      state.SkipWithError("events were lost");
    }
    processor.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}

void DecodeAndRecordRealStorm(benchmark::State& state) {
  static const Stream storm = RealStorm();
  Measure(state, {}, storm);
}
BENCHMARK(DecodeAndRecordRealStorm)->Unit(benchmark::kMillisecond);

// With argument 0 all processes fork equally often, so that each fork is a cache miss.
void DecodeAndRecordSyntheticHost(benchmark::State& state) {
  SyntheticHost host(static_cast<std::int32_t>(state.range(0)));
  const Stream long_lived = host.LongLivedProcesses();
  const Stream events = host.Events();
  Measure(state, long_lived, events);
}
BENCHMARK(DecodeAndRecordSyntheticHost)->Arg(200)->Arg(0)->Unit(benchmark::kMillisecond);

// New names only, in a group table of as many rows as the argument, all of which are in use.
void DecodeAndRecordRenameFlood(benchmark::State& state) {
  const auto groups = static_cast<std::int32_t>(state.range(0));
  RenameFlood flood;
  Stream rows = flood.Start();
  flood.AppendNames(rows, groups);
  Stream events;
  flood.AppendNames(events, kEvents / 3);
  Measure(state, rows, events, {.group_limit = static_cast<std::size_t>(groups)});
}
BENCHMARK(DecodeAndRecordRenameFlood)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

// Copies a snapshot with 500 commands; with argument 1 it has all histograms by command.
void CopySnapshot(benchmark::State& state) {
  const bool all = state.range(0) == 1;
  const CountingOptions options{.exit_code_by_group = all, .lifetime_by_group = all};
  InputProcessor processor(PossibleCpus(), EventCoverage::kAll, options);
  SyntheticHost host;
  ApplyStream(processor, host.LongLivedProcesses());
  ApplyStream(processor, host.Events());
  Snapshot snapshot(PossibleCpus(), options);
  for ([[maybe_unused]] auto round : state) {
    processor.CopyTo(snapshot.numbers);
    benchmark::ClobberMemory();
  }
  state.counters["groups"] = static_cast<double>(snapshot.numbers.groups.rows_in_use);
}
BENCHMARK(CopySnapshot)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

// Names that the lookup cache of the group table does not hold: each is matched against the rules. Argument `kind`:
//   0: a rule is rejected at the first bytes of a name
//   1: at the end, and it captures
//   2: as 1, with an expression of many states
//   3: it has no literal text, so that the prefilter cannot exclude it
void LabelNewName(benchmark::State& state) {
  std::vector<NameGroup> rules;
  for (std::int64_t i = 0; i < state.range(1); ++i) {
    const std::string number = std::to_string(i);
    const std::array<NameGroup, 4> kinds{NameGroup{"svc" + number + "-w[0-9]+", "svc"},
                                         NameGroup{"(.*)a(.*)[0-9](.*)" + number, R"(\1\2)"},
                                         NameGroup{"(.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?){1,8}b" + number, R"(\1)"},
                                         NameGroup{"[a-z]{2,9}[0-9]{" + number + ",}", "word"}};
    rules.push_back(kinds.at(static_cast<std::size_t>(state.range(0))));
  }
  const NameGroups groups(rules);
  std::mt19937 random{1};
  std::vector<CommName> names;
  for (int i = 0; i < 100'000; ++i) {
    std::string name = i % 2 == 0 ? "svc" : "";
    while (name.size() < CommName::kMaxBytes) {
      name += static_cast<char>('a' + random() % 26);
    }
    names.emplace_back(name);
  }
  std::size_t next = 0;
  for ([[maybe_unused]] auto round : state) {
    benchmark::DoNotOptimize(groups.LabelOf(names[next++ % names.size()]));
  }
}
BENCHMARK(LabelNewName)->ArgsProduct({{0, 1, 2, 3}, {1, 10, 99, 1000}})->ArgNames({"kind", "rules"});

}  // namespace
}  // namespace procevent

BENCHMARK_MAIN();

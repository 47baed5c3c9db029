#include <algorithm>
#include <numeric>
#include <sstream>

#include "tests/core/ledger/ledger_pair.h"

namespace procevent {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

// The differences found, as text.
class Differences {
 public:
  template <typename One, typename Other>
  void Compare(const std::string& what, const One& ledger, const Other& reference) {
    if (!(ledger == reference)) {
      all_ << (count_++ > 0 ? "; " : "") << what << ": " << ::testing::PrintToString(ledger) << ", not "
           << ::testing::PrintToString(reference);
    }
  }
  template <typename Key>
  void CompareAll(std::string_view what, const auto& names, const auto& ledger, const Key& reference) {
    for (std::size_t i = 0; i < ledger.size(); ++i) {
      Compare(std::string(what) + " " + std::string(names[i]), ledger[i], Get(reference, names[i]));
    }
  }
  template <typename Map, typename Key>
  static std::uint64_t Get(const Map& map, const Key& key) {
    const auto at = map.find(key);
    return at != map.end() ? at->second : 0;
  }
  AssertionResult Result() { return count_ == 0 ? AssertionSuccess() : AssertionFailure() << all_.str(); }

 private:
  std::ostringstream all_;
  int count_ = 0;
};

constexpr std::array kAllCounts{
    std::pair{CountKind::kForks, "forks"},
    std::pair{CountKind::kThreadsStarted, "threads started"},
    std::pair{CountKind::kThreadsEnded, "threads ended"},
    std::pair{CountKind::kExecs, "execs"},
    std::pair{CountKind::kSucceeded, "succeeded"},
    std::pair{CountKind::kFailed, "failed"},
    std::pair{CountKind::kKilled, "killed"},
    std::pair{CountKind::kCoredumps, "coredumps"},
    std::pair{CountKind::kWithoutExec, "without_exec"},
    std::pair{CountKind::kUidGainedRoot, "uid gained"},
    std::pair{CountKind::kUidLeftRoot, "uid left"},
    std::pair{CountKind::kUidOther, "uid other"},
    std::pair{CountKind::kGidGainedRoot, "gid gained"},
    std::pair{CountKind::kGidLeftRoot, "gid left"},
    std::pair{CountKind::kGidOther, "gid other"},
    std::pair{CountKind::kAttached, "attached"},
    std::pair{CountKind::kDetached, "detached"},
};
static_assert(kAllCounts.size() == kCountKinds);

void CompareTally(Differences& differences, const std::string& what, const Counts& ledger,
                  const reference::CountMap& reference) {
  for (const auto& [count, name] : kAllCounts) {
    differences.Compare(what + " " + name, ledger[count], Differences::Get(reference, count));
  }
}

void CompareHistogram(Differences& differences, const std::string& what, const Histogram& ledger,
                      const reference::Buckets& reference) {
  std::vector<std::uint64_t> counts = reference.counts;
  counts.resize(ledger.counts().size());
  differences.Compare(what, ledger.counts(), counts);
  differences.Compare(what + " sum", ledger.sum(), reference.sum);
}

void CompareComms(Differences& differences, const CommStatistics& ledger,
                  const reference::ReferenceStatistics& reference) {
  std::size_t taken = 0;
  for (const CommRow& row : ledger.rows) {
    if (!row.in_use) {
      CompareTally(differences, "free row", row.counts, {});
      continue;
    }
    ++taken;
    const std::string label(row.label.view());
    const auto other = reference.rows.find(label);
    if (other == reference.rows.end()) {
      differences.Compare("there is a row " + label, true, false);
      continue;
    }
    CompareTally(differences, "row " + label, row.counts, other->second.counts);
    CompareHistogram(differences, "exit codes of " + label, row.exit_codes, other->second.exit_codes);
    CompareHistogram(differences, "lifetimes of " + label, row.lifetimes, other->second.lifetimes);
  }
  differences.Compare("rows", taken, reference.rows.size());
  differences.Compare("rows taken", ledger.rows_in_use + kReservedComms, reference.rows.size());
  differences.Compare("overflowed", ledger.overflowed, reference.overflowed);
}

void CompareEnds(Differences& differences, const ExitStatistics& ledger,
                 const reference::ReferenceStatistics& reference) {
  CompareHistogram(differences, "exit codes", ledger.exit_codes, reference.exit_codes);
  CompareHistogram(differences, "lifetimes", ledger.lifetimes, reference.lifetimes);
  for (std::uint32_t i = 0; i < ledger.statuses.size(); ++i) {
    differences.Compare("status " + std::to_string(i), ledger.statuses.at(i), Differences::Get(reference.statuses, i));
  }
  for (std::uint32_t i = 0; i < ledger.signals.size(); ++i) {
    differences.Compare("signal " + std::to_string(i), ledger.signals.at(i), Differences::Get(reference.signals, i));
  }
}

std::uint64_t Sum(const Counts& tally, std::initializer_list<CountKind> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, CountKind count) { return sum + tally[count]; });
}

constexpr std::initializer_list<CountKind> kStarts{CountKind::kForks, CountKind::kThreadsStarted};
constexpr std::initializer_list<CountKind> kExits{CountKind::kSucceeded, CountKind::kFailed, CountKind::kKilled};
constexpr std::initializer_list<CountKind> kEnds{CountKind::kSucceeded, CountKind::kFailed, CountKind::kKilled,
                                                 CountKind::kThreadsEnded};

template <typename Counts>
std::uint64_t SumOf(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

AssertionResult LedgerPair::Agree(bool peaks_too) {
  ledger_.CopyTo(numbers_);
  Differences differences;
  differences.CompareAll("events", kEventNames, numbers_.events, reference_.events);
  for (std::uint32_t cpu = 0; cpu < numbers_.lost.size(); ++cpu) {
    differences.Compare("lost on " + std::to_string(cpu), numbers_.lost[cpu], Differences::Get(reference_.lost, cpu));
  }
  differences.Compare("repeated", SumOf(numbers_.rejected), reference_.repeated);
  differences.Compare("delays", SumOf(numbers_.delay.counts()), reference_.delays);
  differences.Compare("delay", numbers_.delay.sum_nanos(), reference_.delay_sum_ns);
  CompareComms(differences, numbers_.comms, reference_.resolver.statistics);
  CompareEnds(differences, numbers_.exits, reference_.resolver.statistics);
  CompareTally(differences, "pending", numbers_.pending, reference_.resolver.Pending());
  differences.CompareAll("attributions", kAttributionNames, numbers_.attributions, reference_.resolver.attributions);
  differences.CompareAll("found", kProcessFoundReasonNames, numbers_.found, reference_.found);
  differences.CompareAll("dropped", kProcessDropReasonNames, numbers_.dropped, reference_.dropped);
  differences.Compare("processes", numbers_.processes, reference_.resolver.rows.size());
  differences.Compare("threads", numbers_.threads, reference_.Threads());
  for (std::size_t kind = 0; peaks_too && kind < kPeakKinds.size(); ++kind) {
    differences.Compare("peak of 100ms", numbers_.peaks.at(kind)[0],
                        10.0 * static_cast<double>(reference_.rates.Highest(kind, 10)));
    differences.Compare("peak of 1s", numbers_.peaks.at(kind)[1],
                        static_cast<double>(reference_.rates.Highest(kind, 100)));
  }
  return differences.Result();
}

AssertionResult LedgerPair::HoldInvariants() {
  ledger_.CopyTo(numbers_);
  Counts all = numbers_.pending;
  Counts booked;
  for (const CommRow& row : numbers_.comms.rows) {
    booked += row.counts;
  }
  all += booked;
  const Counts& untracked = numbers_.comms.rows[static_cast<std::size_t>(ReservedComm::kUntracked)].counts;
  Differences differences;
  differences.Compare("starts", Sum(all, kStarts), numbers_.events_of(EventKind::kFork));
  differences.Compare("execs", all[CountKind::kExecs], numbers_.events_of(EventKind::kExec));
  differences.Compare("ends", Sum(all, kEnds), numbers_.events_of(EventKind::kExit));
  differences.Compare("coredumps", all[CountKind::kCoredumps], numbers_.events_of(EventKind::kCoredump));
  differences.Compare("traces", Sum(all, {CountKind::kAttached, CountKind::kDetached}),
                      numbers_.events_of(EventKind::kPtrace));
  differences.Compare("uids", Sum(all, {CountKind::kUidGainedRoot, CountKind::kUidLeftRoot, CountKind::kUidOther}),
                      numbers_.events_of(EventKind::kUid));
  differences.Compare("gids", Sum(all, {CountKind::kGidGainedRoot, CountKind::kGidLeftRoot, CountKind::kGidOther}),
                      numbers_.events_of(EventKind::kGid));
  differences.Compare("exit codes", numbers_.exits.exit_codes.count(), Sum(booked, kExits));
  differences.Compare("statuses", SumOf(numbers_.exits.statuses), booked[CountKind::kFailed]);
  differences.Compare("signals", SumOf(numbers_.exits.signals), booked[CountKind::kKilled]);
  differences.Compare("events", SumOf(numbers_.events), applied_);

  // Each FORK began a row, but those of children that /proc had shown before.
  const std::uint64_t begun = all[CountKind::kForks] - untracked[CountKind::kForks] + SumOf(numbers_.found);
  const std::uint64_t ended = Sum(all, kExits) - Sum(untracked, kExits) + SumOf(numbers_.dropped);
  const std::uint64_t shown = numbers_.found[0] + numbers_.found[1];
  differences.Compare("rows begun and ended",
                      numbers_.processes + ended <= begun && begun <= numbers_.processes + ended + shown, true);
  differences.Compare("a row for each process", numbers_.processes <= options_.process_limit, true);
  differences.Compare("a thread in each process", numbers_.processes <= numbers_.threads, true);

  const std::array<std::uint64_t, 4> totals{Sum(booked, kStarts), booked[CountKind::kExecs], Sum(booked, kEnds),
                                            numbers_.total_lost()};
  for (std::size_t i = 0; i < totals.size(); ++i) {
    differences.Compare("a total that never falls", totals.at(i) >= totals_.at(i), true);
  }
  totals_ = totals;
  return differences.Result();
}

AssertionResult LedgerPair::MatchHost() const {
  Differences differences;
  std::map<std::int32_t, std::uint32_t> truth;
  for (const std::int32_t tgid : host_.ListProcesses()) {
    truth[tgid] = host_.ReadProc(tgid)->threads;
  }
  std::map<std::int32_t, std::uint32_t> tracked;
  for (const auto& [tgid, row] : reference_.resolver.rows) {
    tracked[tgid] = row.threads;
  }
  differences.Compare("processes and their threads", tracked, truth);
  differences.Compare("in doubt", reference_.ListStale().size(), 0U);
  return differences.Result();
}

}  // namespace procevent

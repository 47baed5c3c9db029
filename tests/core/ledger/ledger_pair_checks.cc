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
    std::pair{Count::kForks, "forks"},
    std::pair{Count::kThreadsStarted, "threads started"},
    std::pair{Count::kThreadsEnded, "threads ended"},
    std::pair{Count::kExecs, "execs"},
    std::pair{Count::kSucceeded, "succeeded"},
    std::pair{Count::kFailed, "failed"},
    std::pair{Count::kKilled, "killed"},
    std::pair{Count::kCoredumps, "coredumps"},
    std::pair{Count::kUnexeced, "unexeced"},
    std::pair{Count::kUidGainedRoot, "uid gained"},
    std::pair{Count::kUidLeftRoot, "uid left"},
    std::pair{Count::kUidOther, "uid other"},
    std::pair{Count::kGidGainedRoot, "gid gained"},
    std::pair{Count::kGidLeftRoot, "gid left"},
    std::pair{Count::kGidOther, "gid other"},
    std::pair{Count::kAttached, "attached"},
    std::pair{Count::kDetached, "detached"},
};
static_assert(kAllCounts.size() == kCounts);

void CompareTally(Differences& differences, const std::string& what, const Tally& ledger,
                  const reference::Counts& reference) {
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

void CompareComms(Differences& differences, const CommNumbers& ledger, const reference::Books& reference) {
  std::size_t taken = 0;
  for (const CommRow& row : ledger.rows) {
    if (!row.taken) {
      CompareTally(differences, "free row", row.tally, {});
      continue;
    }
    ++taken;
    const std::string label(row.label.view());
    const auto other = reference.rows.find(label);
    if (other == reference.rows.end()) {
      differences.Compare("there is a row " + label, true, false);
      continue;
    }
    CompareTally(differences, "row " + label, row.tally, other->second.counts);
    CompareHistogram(differences, "exit codes of " + label, row.exit_codes, other->second.exit_codes);
    CompareHistogram(differences, "lifetimes of " + label, row.lifetimes, other->second.lifetimes);
  }
  differences.Compare("rows", taken, reference.rows.size());
  differences.Compare("rows taken", ledger.taken + kReservedComms, reference.rows.size());
  differences.Compare("overflowed", ledger.overflowed, reference.overflowed);
}

void CompareEnds(Differences& differences, const EndNumbers& ledger, const reference::Books& reference) {
  CompareHistogram(differences, "exit codes", ledger.exit_codes, reference.exit_codes);
  CompareHistogram(differences, "lifetimes", ledger.lifetimes, reference.lifetimes);
  for (std::uint32_t i = 0; i < ledger.statuses.size(); ++i) {
    differences.Compare("status " + std::to_string(i), ledger.statuses.at(i), Differences::Get(reference.statuses, i));
  }
  for (std::uint32_t i = 0; i < ledger.signals.size(); ++i) {
    differences.Compare("signal " + std::to_string(i), ledger.signals.at(i), Differences::Get(reference.signals, i));
  }
}

std::uint64_t Sum(const Tally& tally, std::initializer_list<Count> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, Count count) { return sum + tally[count]; });
}

constexpr std::initializer_list<Count> kStarts{Count::kForks, Count::kThreadsStarted};
constexpr std::initializer_list<Count> kExits{Count::kSucceeded, Count::kFailed, Count::kKilled};
constexpr std::initializer_list<Count> kEnds{Count::kSucceeded, Count::kFailed, Count::kKilled, Count::kThreadsEnded};

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
  CompareComms(differences, numbers_.comms, reference_.people.books);
  CompareEnds(differences, numbers_.ends, reference_.people.books);
  CompareTally(differences, "pending", numbers_.pending, reference_.people.Pending());
  differences.CompareAll("attributions", kAttributionNames, numbers_.attributions, reference_.people.attributions);
  differences.CompareAll("found", kFoundNames, numbers_.found, reference_.found);
  differences.CompareAll("dropped", kDroppedNames, numbers_.dropped, reference_.dropped);
  differences.Compare("processes", numbers_.processes, reference_.people.rows.size());
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
  Tally all = numbers_.pending;
  Tally booked;
  for (const CommRow& row : numbers_.comms.rows) {
    booked += row.tally;
  }
  all += booked;
  const Tally& untracked = numbers_.comms.rows[static_cast<std::size_t>(ReservedComm::kUntracked)].tally;
  Differences differences;
  differences.Compare("starts", Sum(all, kStarts), numbers_.events_of(EventKind::kFork));
  differences.Compare("execs", all[Count::kExecs], numbers_.events_of(EventKind::kExec));
  differences.Compare("ends", Sum(all, kEnds), numbers_.events_of(EventKind::kExit));
  differences.Compare("coredumps", all[Count::kCoredumps], numbers_.events_of(EventKind::kCoredump));
  differences.Compare("traces", Sum(all, {Count::kAttached, Count::kDetached}), numbers_.events_of(EventKind::kPtrace));
  differences.Compare("uids", Sum(all, {Count::kUidGainedRoot, Count::kUidLeftRoot, Count::kUidOther}),
                      numbers_.events_of(EventKind::kUid));
  differences.Compare("gids", Sum(all, {Count::kGidGainedRoot, Count::kGidLeftRoot, Count::kGidOther}),
                      numbers_.events_of(EventKind::kGid));
  differences.Compare("exit codes", numbers_.ends.exit_codes.count(), Sum(booked, kExits));
  differences.Compare("statuses", SumOf(numbers_.ends.statuses), booked[Count::kFailed]);
  differences.Compare("signals", SumOf(numbers_.ends.signals), booked[Count::kKilled]);
  differences.Compare("events", SumOf(numbers_.events), booked_);

  // Each FORK began a row, but those of children that /proc had shown before.
  const std::uint64_t begun = all[Count::kForks] - untracked[Count::kForks] + SumOf(numbers_.found);
  const std::uint64_t ended = Sum(all, kExits) - Sum(untracked, kExits) + SumOf(numbers_.dropped);
  const std::uint64_t shown = numbers_.found[0] + numbers_.found[1];
  differences.Compare("rows begun and ended",
                      numbers_.processes + ended <= begun && begun <= numbers_.processes + ended + shown, true);
  differences.Compare("a row for each process", numbers_.processes <= options_.process_limit, true);
  differences.Compare("a thread in each process", numbers_.processes <= numbers_.threads, true);

  const std::array<std::uint64_t, 4> totals{Sum(booked, kStarts), booked[Count::kExecs], Sum(booked, kEnds),
                                            numbers_.lost_in_all()};
  for (std::size_t i = 0; i < totals.size(); ++i) {
    differences.Compare("a total that never falls", totals.at(i) >= totals_.at(i), true);
  }
  totals_ = totals;
  return differences.Result();
}

AssertionResult LedgerPair::KnowTheTruth() const {
  Differences differences;
  std::map<std::int32_t, std::uint32_t> truth;
  for (const std::int32_t tgid : world_.List()) {
    truth[tgid] = world_.See(tgid)->threads;
  }
  std::map<std::int32_t, std::uint32_t> tracked;
  for (const auto& [tgid, row] : reference_.people.rows) {
    tracked[tgid] = row.threads;
  }
  differences.Compare("processes and their threads", tracked, truth);
  differences.Compare("in doubt", reference_.InDoubt().size(), 0U);
  return differences.Result();
}

}  // namespace procevent

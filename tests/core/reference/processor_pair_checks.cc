#include <algorithm>
#include <numeric>
#include <sstream>

#include "tests/core/reference/processor_pair.h"

namespace procevent {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

// Collects differences as text.
class Differences {
 public:
  template <typename One, typename Other>
  void Compare(const std::string& what, const One& numbers, const Other& reference) {
    if (!(numbers == reference)) {
      all_ << (count_++ > 0 ? "; " : "") << what << ": " << ::testing::PrintToString(numbers) << ", not "
           << ::testing::PrintToString(reference);
    }
  }
  template <typename Key>
  void CompareAll(std::string_view what, const auto& names, const auto& numbers, const Key& reference) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      Compare(std::string(what) + " " + std::string(names[i]), numbers[i], Get(reference, names[i]));
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

constexpr std::array kAllCountKinds{
    std::pair{CountKind::kForks, "forks"},
    std::pair{CountKind::kThreadsStarted, "threads started"},
    std::pair{CountKind::kThreadsEnded, "threads ended"},
    std::pair{CountKind::kExecs, "execs"},
    std::pair{CountKind::kSucceeded, "succeeded"},
    std::pair{CountKind::kFailed, "failed"},
    std::pair{CountKind::kKilled, "killed"},
    std::pair{CountKind::kCoredumps, "coredumps"},
    std::pair{CountKind::kWithoutExec, "without exec"},
    std::pair{CountKind::kUidGainedRoot, "uid gained"},
    std::pair{CountKind::kUidLeftRoot, "uid left"},
    std::pair{CountKind::kUidOther, "uid other"},
    std::pair{CountKind::kGidGainedRoot, "gid gained"},
    std::pair{CountKind::kGidLeftRoot, "gid left"},
    std::pair{CountKind::kGidOther, "gid other"},
    std::pair{CountKind::kAttached, "attached"},
    std::pair{CountKind::kDetached, "detached"},
};
static_assert(kAllCountKinds.size() == kCountKinds);

void CompareCounts(Differences& differences, const std::string& what, const Counts& numbers,
                   const reference::CountMap& reference) {
  for (const auto& [count, name] : kAllCountKinds) {
    differences.Compare(what + " " + name, numbers[count], Differences::Get(reference, count));
  }
}

void CompareHistogram(Differences& differences, const std::string& what, const Histogram& numbers,
                      const reference::Buckets& reference) {
  std::vector<std::uint64_t> counts = reference.counts;
  counts.resize(numbers.counts().size());
  differences.Compare(what, numbers.counts(), counts);
  differences.Compare(what + " sum", numbers.sum(), reference.sum);
}

void CompareGroups(Differences& differences, const GroupTableState& numbers,
                   const reference::ReferenceStatistics& reference) {
  std::size_t rows_in_use = 0;
  for (const GroupRow& row : numbers.rows) {
    if (!row.in_use()) {
      CompareCounts(differences, "free row", row.counts, {});
      continue;
    }
    ++rows_in_use;
    const std::string label(row.labels[0].view());
    const auto other = reference.rows.find(label);
    if (other == reference.rows.end()) {
      differences.Compare("row " + label, true, false);
      continue;
    }
    CompareCounts(differences, "row " + label, row.counts, other->second.counts);
    CompareHistogram(differences, "exit codes of " + label, row.exit_codes, other->second.exit_codes);
    CompareHistogram(differences, "lifetimes of " + label, row.lifetimes, other->second.lifetimes);
  }
  differences.Compare("rows", rows_in_use, reference.rows.size());
  differences.Compare("rows in use", numbers.rows_in_use + kReservedGroups, reference.rows.size());
  differences.Compare("overflowed", numbers.overflowed, reference.overflowed);
  differences.Compare("displaced", numbers.displaced, reference.displaced);
}

void CompareExits(Differences& differences, const ExitHistograms& numbers,
                  const reference::ReferenceStatistics& reference) {
  CompareHistogram(differences, "exit codes", numbers.exit_codes, reference.exit_codes);
  CompareHistogram(differences, "lifetimes", numbers.lifetimes, reference.lifetimes);
}

using ExitReasons = std::map<std::pair<std::string, reference::Reason>, std::uint64_t>;

void CompareExitReasons(Differences& differences, const Numbers& numbers,
                        const reference::ReferenceStatistics& reference) {
  ExitReasons counted;
  for (const ExitReasonCount& pair : numbers.exit_reasons.pairs()) {
    const GroupRow& row = numbers.groups.rows.at(pair.group);
    counted[{std::string(row.labels[0].view()), {pair.reason.killed, pair.reason.number}}] = pair.count;
  }
  ExitReasons expected;
  for (const auto& [label, row] : reference.rows) {
    for (const auto& [reason, times] : row.exit_reasons) {
      expected[{label, reason}] = times;
    }
  }
  differences.Compare("exit reasons", counted.size(), numbers.exit_reasons.pairs().size());
  differences.Compare("pairs of group and exit reason", counted, expected);
}

std::uint64_t Sum(const Counts& counts, std::initializer_list<CountKind> kinds) {
  return std::accumulate(kinds.begin(), kinds.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, CountKind kind) { return sum + counts[kind]; });
}

constexpr std::initializer_list<CountKind> kStarts{CountKind::kForks, CountKind::kThreadsStarted};
constexpr std::initializer_list<CountKind> kProcessExits{CountKind::kSucceeded, CountKind::kFailed, CountKind::kKilled};
constexpr std::initializer_list<CountKind> kThreadAndProcessExits{CountKind::kSucceeded, CountKind::kFailed,
                                                                  CountKind::kKilled, CountKind::kThreadsEnded};

// Of every group, pending and retired.
Counts SumOfGroups(const Numbers& snapshot) {
  Counts counts = snapshot.pending;
  counts += snapshot.groups.retired;
  for (const GroupRow& row : snapshot.groups.rows) {
    counts += row.counts;
  }
  return counts;
}

template <typename Counts>
std::uint64_t SumOf(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

AssertionResult ProcessorPair::Agree(bool with_peaks) {
  processor_.CopyTo(snapshot_);
  Differences differences;
  differences.CompareAll("events", kEventNames, snapshot_.events, reference_.events);
  for (std::uint32_t cpu = 0; cpu < snapshot_.lost.size(); ++cpu) {
    differences.Compare("lost on " + std::to_string(cpu), snapshot_.lost[cpu], Differences::Get(reference_.lost, cpu));
  }
  differences.Compare("repeated", SumOf(snapshot_.rejected), reference_.repeated);
  differences.Compare("delays", SumOf(snapshot_.delay.counts()), reference_.delays);
  differences.Compare("delay", snapshot_.delay.sum_nanos(), reference_.delay_sum_ns);
  CompareCounts(differences, "total", snapshot_.totals, reference_.statistics.totals);
  CompareGroups(differences, snapshot_.groups, reference_.statistics);
  CompareCounts(differences, "retired", snapshot_.groups.retired, reference_.statistics.retired);
  CompareExits(differences, snapshot_.exits, reference_.statistics);
  CompareExitReasons(differences, snapshot_, reference_.statistics);
  CompareCounts(differences, "pending", snapshot_.pending, reference_.tracker.resolver.Pending());
  differences.CompareAll("attributions", kAttributionNames, snapshot_.attributions,
                         reference_.tracker.resolver.attributions);
  differences.CompareAll("found", kProcessFoundReasonNames, snapshot_.found, reference_.tracker.found);
  differences.CompareAll("dropped", kProcessDropReasonNames, snapshot_.dropped, reference_.tracker.dropped);
  differences.Compare("processes", snapshot_.processes, reference_.tracker.resolver.rows.size());
  differences.Compare("threads", snapshot_.threads, reference_.tracker.Threads());
  for (std::size_t kind = 0; with_peaks && kind < kPeakActivities.size(); ++kind) {
    differences.Compare("peak of 100ms", snapshot_.peaks.at(kind)[0],
                        10.0 * static_cast<double>(reference_.statistics.rates.Highest(kind, 10)));
    differences.Compare("peak of 1s", snapshot_.peaks.at(kind)[1],
                        static_cast<double>(reference_.statistics.rates.Highest(kind, 100)));
  }
  return differences.Result();
}

AssertionResult ProcessorPair::HoldInvariants() {
  processor_.CopyTo(snapshot_);
  const Counts all = SumOfGroups(snapshot_);
  Counts host = snapshot_.totals;
  host[CountKind::kWithoutExec] = all[CountKind::kWithoutExec];
  Counts recorded = all;
  recorded -= snapshot_.pending;
  const Counts& untracked = snapshot_.groups.rows[static_cast<std::size_t>(ReservedGroup::kUntracked)].counts;
  Differences differences;
  differences.Compare("totals equal groups, pending and retired", host == all, true);
  differences.Compare("starts", Sum(all, kStarts), snapshot_.events_of(EventKind::kFork));
  differences.Compare("execs", all[CountKind::kExecs], snapshot_.events_of(EventKind::kExec));
  differences.Compare("exits", Sum(all, kThreadAndProcessExits), snapshot_.events_of(EventKind::kExit));
  differences.Compare("coredumps", all[CountKind::kCoredumps], snapshot_.events_of(EventKind::kCoredump));
  differences.Compare("ptrace", Sum(all, {CountKind::kAttached, CountKind::kDetached}),
                      snapshot_.events_of(EventKind::kPtrace));
  differences.Compare("uids", Sum(all, {CountKind::kUidGainedRoot, CountKind::kUidLeftRoot, CountKind::kUidOther}),
                      snapshot_.events_of(EventKind::kUid));
  differences.Compare("gids", Sum(all, {CountKind::kGidGainedRoot, CountKind::kGidLeftRoot, CountKind::kGidOther}),
                      snapshot_.events_of(EventKind::kGid));
  differences.Compare("exit codes", snapshot_.exits.exit_codes.count(), Sum(snapshot_.totals, kProcessExits));
  std::map<std::pair<std::size_t, bool>, std::uint64_t> by_reason;
  for (const ExitReasonCount& pair : snapshot_.exit_reasons.pairs()) {
    by_reason[{pair.group, pair.reason.killed}] += pair.count;
  }
  const bool complete = reference_.statistics.exit_reasons_complete;
  for (std::size_t id = 0; id < snapshot_.groups.rows.size(); ++id) {
    const Counts& counts = snapshot_.groups.rows.at(id).counts;
    for (const bool killed : {false, true}) {
      const std::uint64_t exits = counts[killed ? CountKind::kKilled : CountKind::kFailed];
      const std::uint64_t with_reason = by_reason[{id, killed}];
      differences.Compare("exits of a group by reason", complete ? with_reason == exits : with_reason <= exits, true);
    }
  }
  differences.Compare("events", SumOf(snapshot_.events), applied_);

  // Each FORK added a row, except for children that /proc showed before.
  const std::uint64_t added = all[CountKind::kForks] - untracked[CountKind::kForks] + SumOf(snapshot_.found);
  const std::uint64_t removed = Sum(all, kProcessExits) - Sum(untracked, kProcessExits) + SumOf(snapshot_.dropped);
  const std::uint64_t found_in_proc = snapshot_.found[0] + snapshot_.found[1];
  differences.Compare("rows added and removed",
                      snapshot_.processes + removed <= added && added <= snapshot_.processes + removed + found_in_proc,
                      true);
  differences.Compare("a row for each process", snapshot_.processes <= options_.process_limit, true);
  differences.Compare("a thread in each process", snapshot_.processes <= snapshot_.threads, true);

  const std::array<std::uint64_t, 4> totals{Sum(recorded, kStarts), recorded[CountKind::kExecs],
                                            Sum(recorded, kThreadAndProcessExits), snapshot_.total_lost()};
  for (std::size_t i = 0; i < totals.size(); ++i) {
    differences.Compare("a total that never decreases", totals.at(i) >= totals_.at(i), true);
  }
  totals_ = totals;
  return differences.Result();
}

AssertionResult ProcessorPair::MatchHost() const {
  Differences differences;
  std::map<std::int32_t, std::uint32_t> truth;
  for (const std::int32_t tgid : host_.ListProcesses()) {
    truth[tgid] = host_.ReadProc(tgid)->threads;
  }
  std::map<std::int32_t, std::uint32_t> tracked;
  for (const auto& [tgid, row] : reference_.tracker.resolver.rows) {
    tracked[tgid] = row.threads;
  }
  differences.Compare("processes and their threads", tracked, truth);
  differences.Compare("stale rows", reference_.tracker.ListStale().size(), 0U);
  return differences.Result();
}

}  // namespace procevent

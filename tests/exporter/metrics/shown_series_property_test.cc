// Compares the pages of random groups with a slow reference that keeps every exit and every page.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/system.h"
#include "tests/exporter/metrics/collect.h"
#include "tests/exporter/metrics/random_groups.h"

namespace procevent {
namespace {

// The series whose counts are held back or not, of a group by its serial: a kind of count, or an exit reason.
using SeriesKey = std::tuple<std::uint64_t, std::string>;

SeriesKey KeyOf(const Group& group, CountKind kind) {
  return {group.serial, "kind " + std::to_string(static_cast<int>(kind))};
}
SeriesKey ExitsOf(const Group& group) { return {group.serial, "exits"}; }
SeriesKey KeyOf(const Group& group, const Exit& exit) {
  return {group.serial, (exit.reason.killed ? "signal " : "status ") + std::to_string(exit.reason.number)};
}

struct PastPage {
  std::uint64_t now_ns = 0;
  std::set<SeriesKey> series;
  std::vector<std::uint64_t> sent;  // numbers of the pages that were sent before it was made
};

// The pages so far; the first one has the number 1.
class History {
 public:
  explicit History(std::size_t first_scrapes) : first_scrapes_(first_scrapes) {}

  void Add(PastPage page) { pages_.push_back(std::move(page)); }

  // Whether the last page shows the counts of a series that it has.
  [[nodiscard]] bool IsShown(const SeriesKey& series) const {
    const auto first = std::ranges::find_if(pages_, [&](const PastPage& page) { return page.series.contains(series); });
    const auto number = static_cast<std::uint64_t>(first - pages_.begin()) + 1;
    return std::any_of(first, pages_.end(), [&](const PastPage& page) {
      const auto times = std::ranges::count_if(page.sent, [&](std::uint64_t sent) { return sent >= number; });
      return page.sent.empty() || static_cast<std::size_t>(times) >= first_scrapes_ ||
             page.now_ns - first->now_ns >= ShownSeries::kMaxHoldNanos;
    });
  }

 private:
  std::size_t first_scrapes_;
  std::vector<PastPage> pages_;
};

std::set<SeriesKey> SeriesOf(const std::vector<Group>& groups) {
  std::set<SeriesKey> series;
  for (const Group& group : groups) {
    for (const auto& [kind, count] : group.others) {
      series.insert(KeyOf(group, kind));
    }
    if (!group.exits.empty() || group.coredumps != 0) {
      series.insert(ExitsOf(group));
    }
    for (const Exit& exit : group.exits) {
      if (IsNamed(exit)) {
        series.insert(KeyOf(group, exit));
      }
    }
  }
  return series;
}

bool AreExitsHeld(const History& history, const Group& group) {
  return SeriesOf({group}).contains(ExitsOf(group)) && !history.IsShown(ExitsOf(group));
}

// The counts of a group that are not held back, as a group of its own.
Group ShownPart(const Group& group, const History& history, bool reserved) {
  Group shown = group;
  const auto is_shown = [&](const SeriesKey& key) { return history.IsShown(key); };
  std::erase_if(shown.exits, [&](const Exit& exit) { return IsNamed(exit) && !is_shown(KeyOf(group, exit)); });
  if (reserved) {
    return shown;
  }
  std::erase_if(shown.others, [&](const auto& other) { return !is_shown(KeyOf(group, other.first)); });
  if (AreExitsHeld(history, group)) {
    shown.exits.clear();
    shown.coredumps = 0;
  }
  return shown;
}

// The exposed value of the group in each series, by name and labels.
using Values = std::map<std::string, double>;

Values ValuesOf(const MetricFamilies& families) {
  Values values;
  for (const MetricFamily& family : families) {
    for (const auto& series : family.metric) {
      std::string key = family.name;
      for (const auto& label : series.label) {
        key += " " + label.value;
      }
      values[key] = family.type == prometheus::MetricType::Gauge ? series.gauge.value : series.counter.value;
      for (const auto& bucket : series.histogram.bucket) {
        values[key + " " + std::to_string(bucket.upper_bound)] = static_cast<double>(bucket.cumulative_count);
        values[key + " sum"] = series.histogram.sample_sum;
      }
    }
  }
  return values;
}

double SumOf(const Values& values, const std::string& prefix, const std::string& suffix = "") {
  double sum = 0;
  for (const auto& [key, value] : values) {
    sum += key.starts_with(prefix + " ") && key.ends_with(suffix) ? value : 0;
  }
  return sum;
}

// The reference of ShownSeries::MakePage: the shown parts of the groups.
ExposedGroups ExposedByReference(const RandomGroups& random, const History& history) {
  ExposedGroups exposed;
  std::vector<Group> shown;
  for (std::size_t id = 0; id < random.groups().size(); ++id) {
    const Group& group = random.groups()[id];
    shown.push_back(ShownPart(group, history, id < kReservedGroups));
    const Histogram codes = ExitCodesOf(shown.back());
    exposed.rows.push_back({.counts = CountsOf(shown.back()),
                            .exits_held = id >= kReservedGroups && AreExitsHeld(history, group),
                            .exit_codes = {codes.counts(), codes.sum()}});
    exposed.pending += CountsOf(group);
    exposed.pending -= CountsOf(shown.back());
  }
  const std::vector<ExitReasonCount> pairs = PairsOf(shown);
  for (const ExitReasonCount& pair : PairsOf(random.groups())) {
    const auto same = std::ranges::find_if(
        pairs, [&](const ExitReasonCount& other) { return other.group == pair.group && other.reason == pair.reason; });
    exposed.exit_reasons.push_back(same == pairs.end() ? 0 : same->count);
  }
  return exposed;
}

Values MakeValues(const Numbers& numbers, const ExposedGroups& exposed) {
  MetricFamilies families;
  AddGroupFamilies(AppendTo(families), numbers, exposed);
  return ValuesOf(families);
}

void CheckSums(const Values& values, const Numbers& numbers) {
  Counts total = numbers.groups.retired;
  for (const GroupRow& row : numbers.groups.rows) {
    total += row.counts;
  }
  const auto activities = CountActivities(total);
  const auto accounted = [&](ActivityKind activity, const std::string& metric) {
    const std::string name(kActivityNames.at(static_cast<std::size_t>(activity)));
    return SumOf(values, metric) + values.at("procevent_pending " + name) +
           values.at("procevent_retired_total " + name) -
           static_cast<double>(activities.at(static_cast<std::size_t>(activity)));
  };
  EXPECT_EQ(accounted(ActivityKind::kFork, "procevent_forks_total"), 0);
  EXPECT_EQ(accounted(ActivityKind::kExec, "procevent_execs_total"), 0);
  EXPECT_EQ(accounted(ActivityKind::kExit, "procevent_exits_total"), 0);
  EXPECT_EQ(accounted(ActivityKind::kCoredump, "procevent_coredumps_total"), 0);
  EXPECT_EQ(accounted(ActivityKind::kPtrace, "procevent_ptrace_total"), 0);
  EXPECT_EQ(SumOf(values, "procevent_exit_codes_total"), SumOf(values, "procevent_exits_total", " failure"));
  EXPECT_EQ(SumOf(values, "procevent_exit_signals_total"), SumOf(values, "procevent_exits_total", " signal"));
  EXPECT_EQ(SumOf(values, "procevent_exit_code", " inf"), SumOf(values, "procevent_exits_total"));
  EXPECT_LE(SumOf(values, "procevent_exits_without_exec_total"), SumOf(values, "procevent_exits_total"));
}

// The value `other` has counts here on its first page: reasons have no pair although the table of pairs is not full.
bool CountsOtherReasons(const std::string& key) {
  return key.starts_with("procevent_exit_") && key.ends_with(" other");
}

void CheckGrowth(const Values& before, const Values& after, bool zero_first) {
  for (const auto& [key, value] : after) {
    const auto previous = before.find(key);
    if (key.starts_with("procevent_pending")) {
      continue;
    }
    if (previous != before.end()) {
      EXPECT_GE(value, previous->second) << key;
    } else if (zero_first && !CountsOtherReasons(key)) {
      EXPECT_EQ(value, 0) << key;
    }
  }
}

void ComparePages(unsigned seed) {
  RandomGroups random(seed);
  const unsigned first_scrapes = 1 + random.Below(3);
  ShownSeries shown(first_scrapes);
  History history(first_scrapes);
  std::vector<std::uint64_t> sent;
  Values last;
  std::uint64_t now_ns = 1;
  for (std::uint64_t page = 1; page <= 60; ++page) {
    for (unsigned actions = random.Below(6); actions > 0; --actions) {
      random.Act();
    }
    now_ns += random.Below(20) * kNanosPerSecond;
    const Numbers numbers = NumbersOf(random);
    history.Add({now_ns, SeriesOf(random.groups()), sent});
    const Values values = MakeValues(numbers, shown.MakePage(numbers, now_ns));
    EXPECT_EQ(values, MakeValues(numbers, ExposedByReference(random, history)));
    CheckSums(values, numbers);
    CheckGrowth(last, values, !sent.empty());
    last = values;
    for (unsigned clients = random.Below(3); clients > 0; --clients) {
      sent.push_back(page - std::min<std::uint64_t>(page - 1, random.Below(3)));
      shown.RecordSent(sent.back());
    }
  }
}

TEST(ShownSeriesPropertyTest, PagesOfRandomGroupsAreThoseOfTheReference) {
  for (unsigned seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    ComparePages(seed);
  }
}

}  // namespace
}  // namespace procevent

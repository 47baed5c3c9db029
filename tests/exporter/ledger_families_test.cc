// What the ledger knows of commands and of processes' ends, as families.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "exporter/comm_families.h"
#include "exporter/life_families.h"
#include "tests/exporter/filled_snapshot.h"

namespace procevent {
namespace {

using testing::Contains;
using testing::Not;
using testing::Pair;

// The values of a family by its labels, as in {a="b",c="d"} without the decoration: "b d".
std::map<std::string, double> ValuesOf(const Families& families, const std::string& name) {
  std::map<std::string, double> values;
  const auto family = std::ranges::find(families, name, &prometheus::MetricFamily::name);
  EXPECT_NE(family, families.end()) << name;
  for (const auto& row : family->metric) {
    std::string key;
    for (const auto& label : row.label) {
      key += (key.empty() ? "" : " ") + label.value;
    }
    values[key] = family->type == prometheus::MetricType::Counter ? row.counter.value : row.gauge.value;
  }
  return values;
}

Families CommFamiliesOf(const Numbers& numbers) {
  Families families;
  AddCommFamilies(families, numbers);
  return families;
}

Families LifeFamiliesOf(const Numbers& numbers) {
  Families families;
  AddLifeFamilies(families, numbers);
  return families;
}

CommRow& TakeRow(Numbers& numbers, const char* name) {
  CommRow& row = numbers.comms.rows.at(kReservedComms + numbers.comms.taken++);
  row.label = CommLabel(name);
  row.taken = true;
  return row;
}

TEST(CommFamiliesTest, ReservedRowsAreThereAtZero) {
  const Families families = CommFamiliesOf(Numbers(1));
  for (const char* name : {"procevent_forks_total", "procevent_threads_started_total", "procevent_threads_ended_total",
                           "procevent_execs_total", "procevent_coredumps_total", "procevent_unexeced_exits_total"}) {
    const auto values = ValuesOf(families, name);
    EXPECT_EQ(values.size(), kReservedComms) << name;
    for (const std::string_view reserved : kReservedCommNames) {
      EXPECT_THAT(values, Contains(Pair(std::string(reserved), 0))) << name;
    }
  }
  EXPECT_EQ(ValuesOf(families, "procevent_exits_total").size(), 3 * kReservedComms);
}

TEST(CommFamiliesTest, ACommandAppearsWithItsFirstCount) {
  Numbers numbers(1);
  TakeRow(numbers, "bash").tally[Count::kForks] = 7;
  const Families families = CommFamiliesOf(numbers);
  EXPECT_THAT(ValuesOf(families, "procevent_forks_total"), Contains(Pair("bash", 7)));
  EXPECT_THAT(ValuesOf(families, "procevent_execs_total"), Not(Contains(Pair("bash", testing::_))));
  EXPECT_THAT(ValuesOf(families, "procevent_exits_total"),
              Not(Contains(Pair(testing::StartsWith("bash"), testing::_))));
}

TEST(CommFamiliesTest, TheFirstEndBringsTheZerosOfTheOtherOutcomes) {
  Numbers numbers(1);
  TakeRow(numbers, "bash").tally[Count::kSucceeded] = 7;
  const Families families = CommFamiliesOf(numbers);
  const auto exits = ValuesOf(families, "procevent_exits_total");
  EXPECT_THAT(exits, Contains(Pair("bash success", 7)));
  EXPECT_THAT(exits, Contains(Pair("bash failure", 0)));
  EXPECT_THAT(exits, Contains(Pair("bash signal", 0)));
  EXPECT_THAT(ValuesOf(families, "procevent_coredumps_total"), Contains(Pair("bash", 0)));
  EXPECT_THAT(ValuesOf(families, "procevent_unexeced_exits_total"), Contains(Pair("bash", 0)));
}

TEST(CommFamiliesTest, ARowThatNobodyHasIsNotShown) {
  Numbers numbers(1);
  CommRow& row = TakeRow(numbers, "gone");
  row.tally[Count::kForks] = 1;
  row.taken = false;
  EXPECT_THAT(ValuesOf(CommFamiliesOf(numbers), "procevent_forks_total"), Not(Contains(Pair("gone", testing::_))));
}

TEST(CommFamiliesTest, CredentialsNameTheirEffect) {
  Numbers numbers(1);
  TakeRow(numbers, "su").tally[Count::kUidGainedRoot] = 2;
  numbers.comms.rows.at(kReservedComms).tally[Count::kGidLeftRoot] = 3;
  const auto values = ValuesOf(CommFamiliesOf(numbers), "procevent_credential_changes_total");
  EXPECT_THAT(values, Contains(Pair("su uid gained_root", 2)));
  EXPECT_THAT(values, Contains(Pair("su gid left_root", 3)));
  EXPECT_THAT(values, Not(Contains(Pair("su uid left_root", testing::_)))) << "a row appears with its first count";
  EXPECT_THAT(values, Contains(Pair("[unattributed programs] uid gained_root", 0)));
}

TEST(LifeFamiliesTest, SignalsThatEndProcessesAreThereAtZeroAndStatusesWhenSeen) {
  Numbers numbers(1);
  const auto zero = ValuesOf(LifeFamiliesOf(numbers), "procevent_exit_signals_total");
  EXPECT_EQ(zero.size(), 23U);
  EXPECT_THAT(zero, Contains(Pair("SIGSEGV", 0)));
  numbers.ends.signals.at(35) = 4;
  numbers.ends.statuses.at(127) = 5;
  const Families families = LifeFamiliesOf(numbers);
  EXPECT_THAT(ValuesOf(families, "procevent_exit_signals_total"), Contains(Pair("SIGRTMIN+1", 4)));
  EXPECT_EQ(ValuesOf(families, "procevent_exit_statuses_total"), (std::map<std::string, double>{{"127", 5}}));
}

TEST(LifeFamiliesTest, PendingCountsEventsAndNothingTwice) {
  Numbers numbers(1);
  numbers.pending[Count::kForks] = 1;
  numbers.pending[Count::kThreadsStarted] = 2;
  numbers.pending[Count::kExecs] = 4;
  numbers.pending[Count::kSucceeded] = 8;
  numbers.pending[Count::kFailed] = 16;
  numbers.pending[Count::kKilled] = 32;
  numbers.pending[Count::kThreadsEnded] = 64;
  numbers.pending[Count::kUnexeced] = 128;  // an exit that is counted already
  EXPECT_EQ(ValuesOf(LifeFamiliesOf(numbers), "procevent_pending"),
            (std::map<std::string, double>{
                {"fork", 3}, {"exec", 4}, {"exit", 120}, {"uid", 0}, {"gid", 0}, {"ptrace", 0}, {"coredump", 0}}));
}

TEST(LifeFamiliesTest, HistogramsByCommandReplaceTheOneForAll) {
  Numbers numbers(1, {.exit_code_by_comm = true});
  numbers.ends.exit_codes.Add(3);
  CommRow& row = TakeRow(numbers, "bash");
  row.exit_codes.Add(3);
  const Families families = LifeFamiliesOf(numbers);
  const auto& codes = *std::ranges::find(families, "procevent_exit_code", &prometheus::MetricFamily::name);
  ASSERT_EQ(codes.metric.size(), kReservedComms + 1) << "the reserved rows are there at zero";
  EXPECT_EQ(codes.metric[0].label.at(0).value, kReservedCommNames[0]);
  EXPECT_EQ(codes.metric[0].histogram.sample_count, 0U);
  const auto& bash = codes.metric.back();
  EXPECT_EQ(bash.label.at(0).name, "comm");
  EXPECT_EQ(bash.label.at(0).value, "bash");
  EXPECT_EQ(bash.histogram.sample_count, 1U);
  EXPECT_EQ(bash.histogram.sample_sum, 3);
  const auto& lifetimes =
      *std::ranges::find(families, "procevent_process_lifetime_seconds", &prometheus::MetricFamily::name);
  EXPECT_TRUE(lifetimes.metric.at(0).label.empty());
}

TEST(LifeFamiliesTest, WhereLivesAreNotHeardNobodyKnowsHowManyThereAre) {
  Numbers numbers(1);
  const auto names = [](const Families& families) {
    std::vector<std::string> found;
    std::ranges::transform(families, std::back_inserter(found), &prometheus::MetricFamily::name);
    return found;
  };
  EXPECT_THAT(names(LifeFamiliesOf(numbers)), Contains("procevent_processes"));
  numbers.followed = false;
  EXPECT_THAT(names(LifeFamiliesOf(numbers)), Not(Contains("procevent_processes")));
  EXPECT_THAT(names(LifeFamiliesOf(numbers)), Not(Contains("procevent_attributions_total")));
}

}  // namespace
}  // namespace procevent

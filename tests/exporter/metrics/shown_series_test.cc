#include "exporter/metrics/shown_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "exporter/metrics/sent_pages.h"

namespace procevent {
namespace {

using testing::ElementsAre;

constexpr std::size_t kMake = kReservedGroups;  // the row of a command
constexpr ExitReason kStatus3{.killed = false, .number = 3};
constexpr ExitReason kSignal9{.killed = true, .number = 9};

// Makes pages of numbers that the test changes.
class ShownSeriesTest : public testing::Test {
 protected:
  const ExposedGroups& MakePage() { return shown_.MakePage(numbers_, now_ns_); }
  // A page that a client receives.
  const ExposedGroups& SendPage() {
    const ExposedGroups& exposed = MakePage();
    shown_.RecordSent(exposed.page);
    return exposed;
  }
  GroupRow& make() { return numbers_.groups.rows.at(kMake); }
  std::uint64_t ForksOnNextPage() { return SendPage().rows.at(kMake).counts[CountKind::kForks]; }

  Numbers numbers_{1, {.exit_code_by_group = true}};
  std::uint64_t now_ns_ = 1;
  ShownSeries shown_{1};
};

TEST_F(ShownSeriesTest, HoldsNothingBackBeforeTheFirstSentPage) {
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  EXPECT_EQ(MakePage().rows.at(kMake).counts[CountKind::kForks], 7U);
  make().counts[CountKind::kExecs] = 3;
  EXPECT_EQ(MakePage().rows.at(kMake).counts[CountKind::kExecs], 3U);
  EXPECT_EQ(SendPage().rows.at(kMake).counts, make().counts) << "exempt series stay shown";
  EXPECT_TRUE(SendPage().pending.empty());
}

TEST_F(ShownSeriesTest, ExposesANewSeriesAsZeroUntilAPageWasSent) {
  SendPage();
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  numbers_.pending[CountKind::kForks] = 100;
  for (int failed = 0; failed < 3; ++failed) {
    const ExposedGroups& exposed = MakePage();
    EXPECT_EQ(exposed.rows.at(kMake).counts[CountKind::kForks], 0U);
    EXPECT_EQ(exposed.pending[CountKind::kForks], 107U);
  }
  EXPECT_EQ(ForksOnNextPage(), 0U);
  const ExposedGroups& exposed = MakePage();
  EXPECT_EQ(exposed.rows.at(kMake).counts[CountKind::kForks], 7U);
  EXPECT_EQ(exposed.pending[CountKind::kForks], 100U);
}

TEST_F(ShownSeriesTest, APageThatWasMadeBeforeTheSeriesDoesNotShowIt) {
  SendPage();
  const std::uint64_t slow = MakePage().page;
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  MakePage();
  shown_.RecordSent(slow);
  EXPECT_EQ(MakePage().rows.at(kMake).counts[CountKind::kForks], 0U);
}

TEST_F(ShownSeriesTest, ALaterPageShowsTheSeriesToo) {
  SendPage();
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  MakePage();
  EXPECT_EQ(ForksOnNextPage(), 0U);
  EXPECT_EQ(ForksOnNextPage(), 7U);
}

TEST_F(ShownSeriesTest, ShowsTheCountsAfterAMinuteInAnyCase) {
  SendPage();
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  now_ns_ = 1000;
  EXPECT_EQ(MakePage().rows.at(kMake).counts[CountKind::kForks], 0U);
  now_ns_ += ShownSeries::kMaxHoldNanos - 1;
  EXPECT_EQ(MakePage().rows.at(kMake).counts[CountKind::kForks], 0U);
  ++now_ns_;
  EXPECT_EQ(MakePage().rows.at(kMake).counts[CountKind::kForks], 7U);
}

TEST_F(ShownSeriesTest, EachKindOfCountIsASeriesOfItsOwn) {
  SendPage();
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  SendPage();
  make().counts[CountKind::kExecs] = 3;
  const ExposedGroups& exposed = MakePage();
  EXPECT_EQ(exposed.rows.at(kMake).counts[CountKind::kForks], 7U);
  EXPECT_EQ(exposed.rows.at(kMake).counts[CountKind::kExecs], 0U);
  EXPECT_EQ(exposed.pending[CountKind::kExecs], 3U);
}

TEST_F(ShownSeriesTest, ARowOfAnotherGroupStartsAgain) {
  make().serial = 5;
  make().counts[CountKind::kForks] = 7;
  SendPage();
  make().serial = 6;
  EXPECT_EQ(ForksOnNextPage(), 0U);
  EXPECT_EQ(ForksOnNextPage(), 7U);
}

TEST_F(ShownSeriesTest, ReservedRowsAreExemptButForExitReasons) {
  SendPage();
  GroupRow& unattributed = numbers_.groups.rows.front();
  unattributed.counts[CountKind::kForks] = 7;
  unattributed.counts[CountKind::kSucceeded] = 5;
  unattributed.counts[CountKind::kFailed] = 2;
  unattributed.exit_codes.Add(3);
  unattributed.exit_codes.Add(3);
  numbers_.exit_reasons.Assign(std::vector<ExitReasonCount>{{.group = 0, .reason = kStatus3, .count = 2}});
  const ExposedGroups& exposed = SendPage();
  EXPECT_EQ(exposed.rows.front().counts[CountKind::kForks], 7U);
  EXPECT_EQ(exposed.rows.front().counts[CountKind::kSucceeded], 5U);
  EXPECT_EQ(exposed.rows.front().counts[CountKind::kFailed], 0U);
  EXPECT_THAT(exposed.rows.front().exit_codes.counts, testing::Each(0));
  EXPECT_THAT(exposed.exit_reasons, ElementsAre(0));
  EXPECT_THAT(MakePage().exit_reasons, ElementsAre(2));
}

TEST_F(ShownSeriesTest, AllSeriesOfExitsAppearTogether) {
  SendPage();
  make().serial = 5;
  make().counts[CountKind::kSucceeded] = 7;
  make().exit_codes.Add(0);
  EXPECT_TRUE(MakePage().rows.at(kMake).exits_held);
  EXPECT_EQ(SendPage().rows.at(kMake).exit_codes.counts.front(), 0U);
  make().counts[CountKind::kCoredumps] = 1;
  make().counts[CountKind::kWithoutExec] = 2;
  EXPECT_EQ(MakePage().rows.at(kMake).counts, make().counts) << "the other kinds were shown as 0, too";
  EXPECT_EQ(MakePage().rows.at(kMake).exit_codes.counts.front(), 1U);
}

TEST_F(ShownSeriesTest, TheFirstExitForAReasonIsHeldBackInAllSeriesOfTheGroup) {
  make().serial = 5;
  make().counts[CountKind::kFailed] = 10;
  make().counts[CountKind::kWithoutExec] = 4;
  SendPage();
  make().counts[CountKind::kFailed] += 3;
  make().counts[CountKind::kKilled] = 2;
  make().counts[CountKind::kWithoutExec] += 3;
  for (const std::uint64_t code : {3U, 3U, 3U, 137U, 137U}) {
    make().exit_codes.Add(code);
  }
  numbers_.exit_reasons.Assign(
      std::vector<ExitReasonCount>{{.group = kMake, .reason = kStatus3, .count = 3, .without_exec = 1},
                                   {.group = kMake, .reason = kSignal9, .count = 2, .without_exec = 2}});
  const ExposedGroups& held = SendPage();
  EXPECT_THAT(held.exit_reasons, ElementsAre(0, 0));
  EXPECT_EQ(held.rows.at(kMake).counts[CountKind::kFailed], 10U);
  EXPECT_EQ(held.rows.at(kMake).counts[CountKind::kKilled], 0U);
  EXPECT_EQ(held.rows.at(kMake).counts[CountKind::kWithoutExec], 4U);
  EXPECT_THAT(held.rows.at(kMake).exit_codes.counts, testing::Each(0));
  EXPECT_EQ(held.rows.at(kMake).exit_codes.sum, 0U);
  EXPECT_EQ(held.pending[CountKind::kFailed] + held.pending[CountKind::kKilled], 5U);
  const ExposedGroups& shown = MakePage();
  EXPECT_THAT(shown.exit_reasons, ElementsAre(3, 2));
  EXPECT_EQ(shown.rows.at(kMake).counts, make().counts);
  EXPECT_EQ(shown.rows.at(kMake).exit_codes.sum, 3U * 3 + 2U * 137);
}

TEST_F(ShownSeriesTest, RowsThatAreAddedLaterAreHeldBackToo) {
  SendPage();
  numbers_.groups.rows.push_back(numbers_.groups.rows.back());
  numbers_.groups.rows.back().serial = 9;
  numbers_.groups.rows.back().counts[CountKind::kForks] = 7;
  EXPECT_EQ(SendPage().rows.back().counts[CountKind::kForks], 0U);
  EXPECT_EQ(SendPage().rows.back().counts[CountKind::kForks], 7U);
}

TEST(SentPagesTest, TheHighestPagesDecide) {
  SentPages sent(2);
  EXPECT_FALSE(sent.status().any);
  sent.Record(3);
  EXPECT_TRUE(sent.status().any);
  EXPECT_EQ(sent.status().shown_until, 0U);
  sent.Record(5);
  EXPECT_EQ(sent.status().shown_until, 3U);
  sent.Record(4);
  EXPECT_EQ(sent.status().shown_until, 4U);
  sent.Record(1);
  EXPECT_EQ(sent.status().shown_until, 4U);
}

TEST(SentPagesTest, APageSentTwiceCountsTwice) {
  SentPages sent(2);
  sent.Record(3);
  sent.Record(3);
  EXPECT_EQ(sent.status().shown_until, 3U);
}

TEST(SentPagesTest, PageZeroDoesNotCount) {
  SentPages sent(1);
  sent.Record(0);
  EXPECT_FALSE(sent.status().any);
}

TEST_F(ShownSeriesTest, PagesAreSentFromManyThreadsWhileOthersAreMade) {
  constexpr int kPages = 2000;
  SendPage();
  make().serial = 5;
  std::vector<std::jthread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([this] {
      for (std::uint64_t page = 1; page <= kPages; ++page) {
        shown_.RecordSent(page);
      }
    });
  }
  std::uint64_t last = 0;
  for (int page = 0; page < kPages; ++page) {
    ++make().counts[CountKind::kForks];
    const ExposedGroups& exposed = MakePage();
    const std::uint64_t forks = exposed.rows.at(kMake).counts[CountKind::kForks];
    EXPECT_GE(forks, last);
    EXPECT_EQ(forks + exposed.pending[CountKind::kForks], make().counts[CountKind::kForks]);
    last = forks;
  }
}

}  // namespace
}  // namespace procevent

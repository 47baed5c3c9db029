// Under which name things are booked, and when, on built sequences.
#include "core/ledger/name_resolver.h"

#include <gtest/gtest.h>

#include "ledger_driver.h"

namespace procevent {
namespace {

std::uint64_t Attributed(const Story& story, Attribution how) {
  return story.numbers().attributions.at(static_cast<std::size_t>(how));
}

TEST(NamesTest, CountsWaitUntilALookIsBeyondDoubt) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Look("prog");
  story.SettleAfter(9);
  EXPECT_EQ(story.Pending(Count::kExecs), 1U);
  EXPECT_EQ(story.Of("prog", Count::kExecs), 0U);
  story.SettleAfter(1);
  EXPECT_EQ(story.Pending(Count::kExecs), 0U);
  EXPECT_EQ(story.Of("prog", Count::kExecs), 1U);
  EXPECT_EQ(Attributed(story, Attribution::kProc), 1U);
}

// sh -c 'exec sleep': /proc shows the second name before its EXEC is read.
TEST(NamesTest, ALookShortlyBeforeAnExecIsThrownAway) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Look("sleep");
  story.Pass(8);
  story.Exec(200);
  EXPECT_EQ(story.Of("sleep", Count::kExecs), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kExecs), 1U);
  EXPECT_EQ(story.Pending(Count::kExecs), 1U);
}

TEST(NamesTest, ALookLongBeforeAnExecStands) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Look("sh2");
  story.Pass(10);
  story.Exec(200);
  EXPECT_EQ(story.Of("sh2", Count::kExecs), 1U);
}

TEST(NamesTest, AnExitAfterALookConfirmsIt) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Look("true");
  story.Exit(200);
  EXPECT_EQ(story.Of("true", Count::kExecs), 1U);
  EXPECT_EQ(story.Of("true", Count::kSucceeded), 1U);
}

TEST(NamesTest, ALookAfterTheExitIsNone) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  const auto question = story.ledger().sightings().NextQuestion();
  ASSERT_TRUE(question.has_value());
  Sighting late = story.Seen(200, "another");
  late.taken_ns += 2 * Story::kStep;
  story.ledger().sightings().Saw(late, question->whole);
  story.Exit(200);  // one step after the EXEC, one before the look
  EXPECT_EQ(story.Of("another", Count::kExecs), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kExecs), 1U);
}

TEST(NamesTest, ARenamingNamesWhatWaits) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Rename(200, "nginx: worker");
  EXPECT_EQ(story.Of("nginx: worker", Count::kExecs), 1U);
  EXPECT_EQ(Attributed(story, Attribution::kCommEvent), 1U);
}

TEST(NamesTest, ARenamingOfAnotherThreadNamesNothing) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.RenameThread(201, 200, "helper");
  EXPECT_EQ(story.Pending(Count::kExecs), 1U);
}

TEST(NamesTest, ChildrenWaitWithTheirParent) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Fork(201, 200);
  story.Exit(201);
  EXPECT_EQ(story.Pending(Count::kForks), 1U);
  EXPECT_EQ(story.Pending(Count::kSucceeded), 1U);
  EXPECT_EQ(story.numbers().ends.exit_codes.count(), 0U);
  story.Look("make");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("make", Count::kForks), 1U);
  EXPECT_EQ(story.Of("make", Count::kSucceeded), 1U);
  EXPECT_EQ(story.Of("make", Count::kUnexeced), 1U);
  EXPECT_EQ(story.numbers().ends.exit_codes.count(), 1U);
}

TEST(NamesTest, AChildThatOutlivesItsNamelessParentIsLookedAtItself) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Fork(201, 200);
  story.Exit(200);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kExecs), 1U);
  story.Fork(202, 201);
  EXPECT_EQ(story.Pending(Count::kForks), 1U);
  story.Look("daemon");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("daemon", Count::kForks), 1U);
}

TEST(NamesTest, AfterALossNobodyIsCalledByAnOldName) {
  Story story;
  story.Fork(200);
  story.Rename(200, "old");
  story.Lose(1);  // its exec, perhaps
  story.Fork(201, Story::kShell);
  story.Fork(202, 200);
  EXPECT_EQ(story.Of("old", Count::kForks), 0U);
  EXPECT_EQ(story.Pending(Count::kForks), 2U);
  story.Look("new");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("new", Count::kForks), 2U);
  EXPECT_EQ(story.Of("old", Count::kForks), 0U);
}

TEST(NamesTest, ALookBeforeALossNamesNothing) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Look("prog");
  story.Lose(1);
  story.Fork(201, Story::kShell);  // shows the loss
  story.SettleAfter(20);
  EXPECT_EQ(story.Of("prog", Count::kExecs), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kExecs), 1U);
}

// What it did before it executed what /proc showed was still in the queue.
TEST(NamesTest, WhoIsFoundIsNotBelievedAtOnce) {
  Story story;
  Sighting sighting = story.Seen(500, "after");
  sighting.taken_ns += 10 * Story::kStep;
  story.ledger().sightings().Found(sighting, Found::kBootstrap);
  story.Fork(501, 500);
  story.Exec(500);
  EXPECT_EQ(story.Of("after", Count::kForks), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kForks), 1U);
  story.Look("after");
  story.SettleAfter(20);
  EXPECT_EQ(story.Of("after", Count::kExecs), 1U);
}

TEST(NamesTest, WhoIsFoundIsBelievedWhenAllWasHeard) {
  Story story;
  story.ledger().sightings().Found(story.Seen(500, "daemon"), Found::kBootstrap);
  story.Pass(20);
  story.Fork(501, 500);
  EXPECT_EQ(story.Pending(Count::kForks), 1U);
  story.Settle();
  EXPECT_EQ(story.Of("daemon", Count::kForks), 1U);
}

// It is looked at again 20 ms later, 25 times in all; then it is a survey's.
TEST(NamesTest, WhoIsHeldIsNotBelievedAndSeenAgainSoon) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  Sightings& sightings = story.ledger().sightings();
  int looks = 0;
  while (const auto question = sightings.NextQuestion()) {
    ++looks;
    Sighting held = story.Seen(question->tgid, "not yet");
    held.held = true;
    sightings.Saw(held, question->whole);
    story.SettleAfter(19);
    EXPECT_FALSE(sightings.NextQuestion().has_value());
    EXPECT_EQ(sightings.any_question(), looks <= 25);
    story.SettleAfter(1);
  }
  EXPECT_EQ(looks, 26);
  EXPECT_EQ(story.Of("not yet", Count::kExecs), 0U);
  EXPECT_EQ(story.Pending(Count::kExecs), 1U);
  RowId cursor = 0;
  EXPECT_EQ(sightings.NextInDoubt(cursor, sightings.end_of_rows()), 200);
}

// Found by an event, held at the look and in the survey; then a COMM names it, and nobody would ask for it again.
TEST(NamesTest, WhoIsHeldWithMuchUnknownIsLeftToASurveyToo) {
  Story story;
  story.Exec(200);
  Sightings& sightings = story.ledger().sightings();
  EXPECT_TRUE(sightings.TakeAnyDoubt());
  Sighting held = story.Seen(sightings.NextQuestion()->tgid, "not yet");
  held.held = true;
  sightings.Saw(held, true);
  EXPECT_TRUE(sightings.TakeAnyDoubt());
}

TEST(NamesTest, WhoIsHeldNoMoreIsNamed) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  Sightings& sightings = story.ledger().sightings();
  Sighting held = story.Seen(sightings.NextQuestion()->tgid, "not yet");
  held.held = true;
  sightings.Saw(held, false);
  story.SettleAfter(20);
  story.Look("sleep");
  story.SettleAfter(10);
  EXPECT_EQ(story.Of("sleep", Count::kExecs), 1U);
}

TEST(NamesTest, ARenamingDoesNotNameWhatWasDoneBefore) {
  Story story;
  story.Fork(200);
  story.Exec(200);
  story.Fork(201, 200);
  story.Exit(201);
  story.Rename(200, "worker");
  EXPECT_EQ(story.Of("worker", Count::kExecs), 1U);
  EXPECT_EQ(story.Of("worker", Count::kSucceeded), 0U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kForks), 1U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kSucceeded), 1U);
}

TEST(NamesTest, AnEmptyNameHasARowOfItsOwn) {
  Story story;
  story.Fork(200);
  story.Rename(200, "");
  story.Exit(200);
  EXPECT_EQ(story.Of("[processes without a name]", Count::kSucceeded), 1U);
}

TEST(NamesTest, MoreEndsThanCanWaitAreUnattributed) {
  constexpr std::uint64_t kEnds = 65'600;
  Story story;
  story.Fork(200);
  story.Exec(200);
  for (std::uint64_t i = 0; i < kEnds; ++i) {
    story.Fork(201, 200);
    story.Exit(201);
  }
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kExecs), 1U);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kSucceeded) + story.Pending(Count::kSucceeded), kEnds);
  EXPECT_EQ(story.Of(kUnattributedComm, Count::kForks) + story.Pending(Count::kForks), kEnds);
}

}  // namespace
}  // namespace procevent

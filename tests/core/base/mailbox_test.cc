#include "core/base/mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace procevent {
namespace {

TEST(MailboxTest, GivesTheNewestOnce) {
  Mailbox<int> box;
  EXPECT_EQ(box.Take(), nullptr);
  box.Put(std::make_unique<int>(1));
  box.Put(std::make_unique<int>(2));
  EXPECT_EQ(*box.Take(), 2);
  EXPECT_EQ(box.Take(), nullptr);
}

TEST(MailboxTest, WhatNobodyTakesIsThrownAway) {
  const auto kept = std::make_shared<int>(1);
  {
    Mailbox<std::shared_ptr<int>> box;
    box.Put(std::make_unique<std::shared_ptr<int>>(kept));
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(MailboxTest, WhatIsTakenIsWholeAndNeverOlder) {
  constexpr int kThings = 20'000;
  Mailbox<int> box;
  std::atomic<bool> sent{false};
  std::jthread sender([&] {
    for (int thing = 1; thing <= kThings; ++thing) {
      box.Put(std::make_unique<int>(thing));
    }
    sent = true;
  });
  int last = 0;
  while (last < kThings) {
    const bool all = sent;
    if (const auto thing = box.Take()) {
      ASSERT_GT(*thing, last);
      last = *thing;
    } else {
      ASSERT_FALSE(all) << "the last one got lost";
    }
  }
}

}  // namespace
}  // namespace procevent

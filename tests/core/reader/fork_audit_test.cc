#include "core/reader/fork_audit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace procevent {
namespace {

using ForkCounts = ForkAudit::ForkCounts;

// The time of a canary. Each is late enough to decide about forks missing at the one before.
constexpr std::uint64_t Canary(std::uint64_t number) { return number * ForkAudit::kMaxForkDelay; }

TEST(ForkAuditTest, CountsKernelForksSinceTheFirstCall) {
  ForkAudit audit;
  audit.KernelForksSinceStart(1000, {});
  EXPECT_EQ(audit.KernelForksSinceStart(1007, {.forks = 7}), 7U);
}

TEST(ForkAuditTest, AccountsForMissingForksByLostEvents) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  EXPECT_EQ(audit.MissingForks(10, {.forks = 10}), 0U);
  EXPECT_EQ(audit.MissingForks(10, {.forks = 7}), 3U);
  EXPECT_EQ(audit.MissingForks(10, {.forks = 7, .lost = 2}), 1U);
  EXPECT_EQ(audit.MissingForks(10, {.forks = 7, .lost = 20}), 0U);
}

TEST(ForkAuditTest, CountsForksWhileUnsubscribedAsUnseen) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForks(100, {.forks = 40});
  EXPECT_EQ(audit.unseen_forks(), 60U);
  EXPECT_EQ(audit.MissingForks(100, {.forks = 40}), 0U);
  audit.CountUnseenForks(110, {.forks = 40});  // still unsubscribed: ten more
  EXPECT_EQ(audit.unseen_forks(), 70U);
}

TEST(ForkAuditTest, DoesNotAccountForUnseenForksByOlderLosses) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForksAtCanary(100, {.forks = 90, .lost = 1000}, Canary(1));  // 10 of the lost were forks
  audit.CountUnseenForks(150, {.forks = 90, .lost = 1000});
  EXPECT_EQ(audit.unseen_forks(), 50U);
}

TEST(ForkAuditTest, DoesNotCountALateForkAsUnseen) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForksAtCanary(10, {.forks = 9}, Canary(1));
  EXPECT_EQ(audit.unseen_forks(), 0U);
  audit.CountUnseenForksAtCanary(20, {.forks = 20}, Canary(2));
  EXPECT_EQ(audit.unseen_forks(), 0U);
  audit.CountUnseenForksAtCanary(30, {.forks = 29}, Canary(3));
  EXPECT_EQ(audit.unseen_forks(), 0U);
}

TEST(ForkAuditTest, CountsForksMissingAtTwoCanariesAsUnseen) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  audit.CountUnseenForksAtCanary(100, {.forks = 95}, Canary(1));
  audit.CountUnseenForksAtCanary(200, {.forks = 194}, Canary(2));
  EXPECT_EQ(audit.unseen_forks(), 5U);
  audit.CountUnseenForksAtCanary(300, {.forks = 294}, Canary(3));
  EXPECT_EQ(audit.unseen_forks(), 6U);
}

// A process may lose its CPU between the kernel's count of its fork and the event.
TEST(ForkAuditTest, DoesNotCountAForkThatIsLateByLessThanASecond) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  const std::uint64_t start = Canary(5);
  EXPECT_EQ(audit.CountUnseenForksAtCanary(10, {.forks = 9}, start), 0U);
  EXPECT_EQ(audit.CountUnseenForksAtCanary(10, {.forks = 9}, start + ForkAudit::kMaxForkDelay - 1), 0U);
  EXPECT_EQ(audit.CountUnseenForksAtCanary(20, {.forks = 19}, start + ForkAudit::kMaxForkDelay), 1U);
}

// Each time another one is late.
TEST(ForkAuditTest, DoesNotCountForksThatArrivedAtACanaryInBetween) {
  ForkAudit audit;
  audit.KernelForksSinceStart(0, {});
  const std::uint64_t start = Canary(5);
  EXPECT_EQ(audit.CountUnseenForksAtCanary(10, {.forks = 9}, start), 0U);
  EXPECT_EQ(audit.CountUnseenForksAtCanary(20, {.forks = 20}, start + 1), 0U);
  EXPECT_EQ(audit.CountUnseenForksAtCanary(30, {.forks = 29}, start + ForkAudit::kMaxForkDelay), 0U);
}

TEST(ForkAuditTest, MovesTheBaseIfThereAreMoreEventsThanForks) {
  ForkAudit audit;
  audit.KernelForksSinceStart(1000, {});  // includes a fork whose event is not queued yet
  EXPECT_EQ(audit.KernelForksSinceStart(1010, {.forks = 11}), 11U);
  EXPECT_EQ(audit.KernelForksSinceStart(1020, {.forks = 20}), 21U);
}

// Against a simulated kernel whose forks are received, lost or unseen.
TEST(ForkAuditTest, KeepsTheInvariantAtEveryStep) {
  std::mt19937 random(20261121);  // NOLINT(cert-msc51-cpp): the same every time
  for (int run = 0; run < 200; ++run) {
    ForkAudit audit;
    std::uint64_t kernel = random() % 1000;
    audit.KernelForksSinceStart(kernel, {});
    ForkCounts counted;
    for (int step = 0; step < 100; ++step) {
      const std::uint64_t forks = random() % 20;
      kernel += forks;
      switch (random() % 4) {
        case 0:
          counted.forks += forks;
          audit.CountUnseenForksAtCanary(audit.KernelForksSinceStart(kernel, counted), counted,
                                         Canary(static_cast<std::uint64_t>(step)) / 2);
          break;
        case 1:
          counted.lost += forks + random() % 20;  // including events of other kinds
          break;
        case 2:
          audit.CountUnseenForks(audit.KernelForksSinceStart(kernel, counted), counted);
          break;
        default:
          counted.forks += forks;
          break;
      }
      const std::uint64_t kernel_forks = audit.KernelForksSinceStart(kernel, counted);
      ASSERT_GE(kernel_forks, counted.forks);
      ASSERT_LE(kernel_forks - counted.forks, counted.lost + audit.unseen_forks());
    }
  }
}

}  // namespace
}  // namespace procevent

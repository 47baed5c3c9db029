#include "core/tracker/exit_status.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace procevent {
namespace {

constexpr std::uint32_t Code(std::uint32_t code) { return code << 8U; }
constexpr std::uint32_t kSegv = 11U | 0x80U;

enum class Who : std::uint8_t { kLeader, kThread, kExec };

// An event, in the order of receipt.
struct Step {
  Who who;
  std::uint64_t micros = 0;
  std::uint32_t wait_status = 0;
};

struct Row {
  std::string_view name;
  std::vector<Step> steps;
  std::uint32_t expected;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class ProcessExitStatusTest : public testing::TestWithParam<Row> {};

TEST_P(ProcessExitStatusTest, DerivesTheStatusOfTheProcess) {
  constexpr std::uint64_t kBoot = 5'000'000'000;
  ProcessExitStatus status;
  for (const Step& step : GetParam().steps) {
    if (step.who == Who::kExec) {
      status.OnExec();
    } else {
      status.OnThreadExit(step.who == Who::kLeader, kBoot + step.micros * 1000, step.wait_status);
    }
  }
  EXPECT_EQ(status.wait_status(), GetParam().expected);
}

std::string NameOf(const testing::TestParamInfo<Row>& info) { return std::string(info.param.name); }

using enum Who;

INSTANTIATE_TEST_SUITE_P(SingleThreads, ProcessExitStatusTest,
                         testing::Values(Row{"NoExit", {}, 0}, Row{"Success", {{kLeader, 10, 0}}, 0},
                                         Row{"Failure", {{kLeader, 10, Code(3)}}, Code(3)},
                                         Row{"SignalWithCoreDump", {{kLeader, 10, kSegv}}, kSegv},
                                         Row{"TimeZero", {{kLeader, 0, Code(3)}}, Code(3)},
                                         Row{"OnlySixteenBitsCount", {{kLeader, 10, 0xABCD'0300U}}, Code(3)},
                                         Row{"OnlyHigherBitsAreSuccess", {{kLeader, 10, 0xABCD'0000U}}, 0}),
                         NameOf);

// waitpid returns the status of the thread that ends last, or of the exit_group.
INSTANTIATE_TEST_SUITE_P(
    ThreadsThatEndFirst, ProcessExitStatusTest,
    testing::Values(
        Row{"ThreadWithAStatus", {{kThread, 0, Code(5)}, {kLeader, 2000, 0}}, 0},
        Row{"ThreadKilledBySeccomp", {{kThread, 0, 31}, {kLeader, 2000, 0}}, 0},
        Row{"ThreadJoinedAtOnce", {{kThread, 0, Code(5)}, {kLeader, 50, 0}}, 0},
        Row{"ThreadWithAnotherStatus", {{kThread, 0, Code(5)}, {kLeader, 50, Code(6)}}, Code(6)},
        Row{"ThreadBesideASignal", {{kThread, 0, Code(5)}, {kThread, 10, kSegv}, {kLeader, 20, kSegv}}, kSegv},
        Row{"LeaderLongBefore", {{kLeader, 0, Code(7)}, {kThread, 3000, 0}}, 0},
        Row{"LeaderLongBeforeAFailure", {{kLeader, 0, Code(7)}, {kThread, 3000, Code(8)}}, Code(8)},
        Row{"LeaderWithSuccess", {{kLeader, 0, 0}, {kThread, 10, Code(8)}}, Code(8)},
        Row{"LeaderJustBefore", {{kLeader, 0, Code(7)}, {kThread, 10, 0}}, Code(7)}),  // known limit: waitpid returns 0
    NameOf);

// exit_group of the leader, while other threads end on their own with status 0.
INSTANTIATE_TEST_SUITE_P(
    GroupExits, ProcessExitStatusTest,
    testing::Values(Row{"AllThreads", {{kThread, 0, Code(3)}, {kThread, 5, Code(3)}, {kLeader, 9, Code(3)}}, Code(3)},
                    Row{"RaceWithAThread", {{kThread, 0, Code(3)}, {kLeader, 10, Code(3)}, {kThread, 20, 0}}, Code(3)},
                    Row{"RaceInTheWindow", {{kLeader, 0, Code(3)}, {kThread, 1999, 0}}, Code(3)},
                    Row{"RaceAtItsEnd", {{kLeader, 0, Code(3)}, {kThread, 2000, 0}}, Code(3)},
                    Row{"RaceBeyondIt", {{kLeader, 0, Code(3)}, {kThread, 2001, 0}}, 0},  // as for SYS_exit, see above
                    Row{"NoWindowForThreads", {{kLeader, 0, 0}, {kThread, 10, Code(3)}, {kThread, 11, 0}}, 0},
                    Row{"NoWindowBetweenStatuses", {{kLeader, 0, Code(3)}, {kThread, 10, Code(4)}}, Code(4)}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    OrderOfReceipt, ProcessExitStatusTest,
    testing::Values(
        Row{"EarlierExitReceivedLater", {{kLeader, 2000, 0}, {kThread, 0, Code(5)}}, 0},
        Row{"LaterExitReceivedFirst", {{kThread, 900, Code(4)}, {kLeader, 0, 0}, {kThread, 500, 0}}, Code(4)},
        Row{"LeaderReceivedLate", {{kThread, 1000, 0}, {kLeader, 0, Code(3)}}, Code(3)},
        Row{"LeaderReceivedLateBeyondTheWindow", {{kThread, 2500, 0}, {kLeader, 0, Code(3)}}, 0},
        Row{"EqualTimesLaterReceiptWins", {{kThread, 10, Code(4)}, {kThread, 10, Code(5)}}, Code(5)},
        Row{"EqualTimesWithTheLeader", {{kThread, 10, Code(4)}, {kLeader, 10, 0}}, 0},
        Row{"EqualTimesAfterTheLeader", {{kLeader, 10, Code(4)}, {kThread, 10, 0}}, Code(4)}),
    NameOf);

// An exec by another thread ends the leader first: the leader's pid exits again at the end of the process.
INSTANTIATE_TEST_SUITE_P(
    Execs, ProcessExitStatusTest,
    testing::Values(
        Row{"DiscardsTheStatusesBefore", {{kThread, 0, Code(5)}, {kLeader, 5, 9}, {kExec, 10}, {kLeader, 20, 0}}, 0},
        Row{"LeaderBeforeAndThreadAfter", {{kLeader, 0, 9}, {kExec, 10}, {kThread, 20, 0}}, 0},
        Row{"KeepsTheStatusesAfter", {{kThread, 0, 0}, {kExec, 10}, {kLeader, 20, Code(3)}}, Code(3)},
        Row{"ThreadReceivedAfterTheExec", {{kExec, 10}, {kThread, 0, 9}, {kLeader, 20, 0}}, 0},
        Row{"LeaderReceivedAfterTheExec", {{kExec, 10}, {kLeader, 0, 9}, {kLeader, 20, 0}}, 0},
        Row{"LeaderReceivedAfterItsLastExit", {{kLeader, 20, Code(3)}, {kThread, 25, 0}, {kLeader, 0, 9}}, Code(3)},
        Row{"EqualTimesOfTheLeader", {{kLeader, 20, 9}, {kLeader, 20, Code(3)}, {kThread, 25, 0}}, Code(3)},
        Row{"NoExitAfter", {{kLeader, 0, 9}, {kExec, 10}}, 0}),
    NameOf);

}  // namespace
}  // namespace procevent

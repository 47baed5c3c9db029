#include "cmd/doctor.h"

#include <gtest/gtest.h>

#include <vector>

namespace procevent {
namespace {

const std::vector<Check> kThree{{"kernel", Check::State::kOk, "Linux 6.18", ""},
                                {"buffer", Check::State::kWarning, "it is small", "raise it"},
                                {"address", Check::State::kFailed, "\"here\"\n\xFF", "choose\\another"}};

TEST(DoctorTest, PrintsALineForEachCheck) {
  EXPECT_EQ(AsLines({kThree[0], kThree[1], {"address", Check::State::kFailed, "it is taken", "choose another"}}),
            "ok      kernel: Linux 6.18\n"
            "warning buffer: it is small; raise it\n"
            "FAILED  address: it is taken; choose another\n");
}

TEST(DoctorTest, PrintsOneJsonObject) {
  EXPECT_EQ(AsJson(kThree),
            R"({"ok":false,"checks":[{"name":"kernel","state":"ok","finding":"Linux 6.18","remedy":""},)"
            R"({"name":"buffer","state":"warning","finding":"it is small","remedy":"raise it"},)"
            R"({"name":"address","state":"failed","finding":"\"here\"\n\ufffd","remedy":"choose\\another"}]})"
            "\n");
}

TEST(DoctorTest, AWarningIsNoFailure) {
  EXPECT_EQ(AsJson({kThree[1]}).substr(0, 10), R"({"ok":true)");
  EXPECT_TRUE(AllHolds({kThree[0], kThree[1]}));
  EXPECT_FALSE(AllHolds(kThree));
}

}  // namespace
}  // namespace procevent

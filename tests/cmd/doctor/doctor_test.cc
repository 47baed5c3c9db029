#include "cmd/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace procevent {

namespace {

using testing::HasSubstr;
using State = Check::State;

// A machine on which all is well.
ProbeResults AllWell() {
  ProbeResults probes;
  probes.kernel_release = "6.18.44-generic";
  probes.net_admin = true;
  probes.buffer_wanted = 32U << 20U;
  probes.buffer_sysctl = 212992;
  probes.subscription.buffer_bytes = 32U << 20U;
  probes.subscription.heard = {EventKind::kFork, EventKind::kComm, EventKind::kExit};
  probes.addresses = "0.0.0.0:13675";
  return probes;
}

struct Row {
  std::string name;
  std::function<void(ProbeResults&)> spoil;
  std::map<std::string, State> others;  // the checks that are not ok
  std::string check;                    // the one that is looked at
  std::vector<std::string> finding;
  std::vector<std::string> remedy;
};

class ChecksTest : public testing::TestWithParam<Row> {};

TEST_P(ChecksTest, EachFaultIsFoundAndNamesItsRemedy) {
  const Row& row = GetParam();
  ProbeResults probes = AllWell();
  row.spoil(probes);
  const std::vector<Check> checks = EvaluateChecks(probes);
  bool failed = false;
  bool seen = false;
  for (const Check& check : checks) {
    const auto expected = row.others.find(std::string(check.name));
    EXPECT_EQ(check.state, expected == row.others.end() ? State::kOk : expected->second) << check.name;
    EXPECT_EQ(check.remedy.empty(), check.state == State::kOk) << check.name;
    EXPECT_FALSE(check.finding.empty()) << check.name;
    failed = failed || check.state == State::kFailed;
    if (check.name == row.check) {
      seen = true;
      for (const std::string& text : row.finding) {
        EXPECT_THAT(check.finding, HasSubstr(text));
      }
      for (const std::string& text : row.remedy) {
        EXPECT_THAT(check.remedy, HasSubstr(text));
      }
    }
  }
  EXPECT_TRUE(seen) << row.check;
  EXPECT_EQ(NoCheckFailed(checks), !failed);
}

constexpr auto kWarning = State::kWarning;
constexpr auto kFailed = State::kFailed;

INSTANTIATE_TEST_SUITE_P(
    Rows, ChecksTest,
    testing::Values(
        Row{"AllWell", [](ProbeResults&) {}, {}, "kernel", {"Linux 6.18.44-generic", "CONFIG_PROC_EVENTS"}, {}},
        Row{"TooFewThreads",
            [](ProbeResults& probes) {
              probes.threads = Error{"start the 65 threads that serve", EAGAIN, "raise it"};
            },
            {{"threads", kFailed}},
            "threads",
            {"cannot start the 65 threads"},
            {"raise it"}},
        Row{"FewOpenFiles",
            [](ProbeResults& probes) { probes.few_files = "only 64 files may be open, so that; raise it (ulimit -n)"; },
            {{"open files", kWarning}},
            "open files",
            {"only 64 files may be open"},
            {"raise it (ulimit -n)"}},
        Row{"TooFewOpenFiles",
            [](ProbeResults& probes) {
              probes.few_files = "only 6 files may be open, too few to serve; raise it (ulimit -n)";
              probes.too_few_files = true;
            },
            {{"open files", kFailed}},
            "open files",
            {"only 6 files may be open"},
            {"raise it (ulimit -n)"}},
        Row{"TooLittleMemory",
            [](ProbeResults& probes) { probes.start_fault = "not enough memory; raise ulimit -v"; },
            {{"start", kFailed}},
            "start",
            {"not enough memory"},
            {"raise ulimit -v"}},
        Row{"TheLargestBufferIsRounded",
            [](ProbeResults& probes) {
              probes.buffer_wanted = (1U << 30U) - 1;  // half of what an int holds
              probes.subscription.buffer_bytes = probes.buffer_wanted;
            },
            {},
            "buffer",
            {"1048576KiB"},
            {}},
        Row{"TheChildIsNamed", [](ProbeResults&) {}, {}, "subscription", {"fork, comm, exit"}, {}},
        Row{"TheBufferIsNamed", [](ProbeResults&) {}, {}, "buffer", {"32768KiB"}, {}},
        Row{"NoConnector",
            [](ProbeResults& probes) {
              probes.subscription.opened = MakeOpenError(EPROTONOSUPPORT);
              probes.around = {.foreign_network = true};  // as it looks without /proc/net/connector
            },
            {{"kernel", kFailed}, {"buffer", kWarning}, {"subscription", kFailed}},
            "kernel",
            {"Linux 6.18.44-generic"},
            {"CONFIG_CONNECTOR", "boot one that has it"}},
        Row{"NoProcEvents",
            [](ProbeResults& probes) {
              probes.around = {.no_proc_events = true};
              probes.subscription.acknowledged = MakeNoAckError(probes.around);
            },
            {{"kernel", kFailed}, {"subscription", kFailed}},
            "kernel",
            {"without process events"},
            {"CONFIG_PROC_EVENTS", "boot one that has it"}},
        Row{"NetlinkForbidden",
            [](ProbeResults& probes) { probes.subscription.opened = MakeOpenError(EACCES); },
            {{"buffer", kWarning}, {"subscription", kFailed}},
            "subscription",
            {"open the connector socket", "Permission denied"},
            {"AF_NETLINK"}},
        Row{"NoCapability",
            [](ProbeResults& probes) { probes.net_admin = false; },
            {{"capability", kWarning}},
            "capability",
            {"CAP_NET_ADMIN is missing"},
            {"root", "--cap-add NET_ADMIN", "AmbientCapabilities"}},
        Row{"NoCapabilityOnAnOldKernel",
            [](ProbeResults& probes) {
              probes.net_admin = false;
              probes.kernel_release = "6.5.13";
              probes.subscription.opened = MakeBindError(EPERM);
            },
            {{"capability", kFailed}, {"buffer", kWarning}, {"subscription", kFailed}},
            "capability",
            {"before Linux 6.6"},
            {"--cap-add NET_ADMIN"}},
        Row{"NoCapabilityOnTheFirstThatNeedsNone",
            [](ProbeResults& probes) {
              probes.net_admin = false;
              probes.kernel_release = "6.6";
            },
            {{"capability", kWarning}},
            "capability",
            {"only the large receive buffer"},
            {}},
        Row{"NoCapabilityOnAnOldMajor",
            [](ProbeResults& probes) {
              probes.net_admin = false;
              probes.kernel_release = "5.10.0-30-amd64";
            },
            {{"capability", kFailed}},
            "capability",
            {},
            {}},
        Row{"NoCapabilityOnAKernelOfNoNumber",
            [](ProbeResults& probes) {
              probes.net_admin = false;
              probes.kernel_release = "custom\n";
            },
            {{"capability", kWarning}},
            "kernel",
            {"custom\\x0a"},
            {}},
        Row{"ForeignNetwork",
            [](ProbeResults& probes) {
              probes.around = {.foreign_network = true};
              probes.subscription.acknowledged = MakeSendError(ECONNREFUSED, probes.around);
            },
            {{"kernel", kWarning}, {"namespaces", kFailed}, {"subscription", kFailed}},
            "namespaces",
            {"not the host's: network"},
            {"--network host"}},
        Row{"ForeignPids",
            [](ProbeResults& probes) {
              probes.around = {.foreign_pids = true};
              probes.subscription.acknowledged = MakeNoAckError(probes.around);
            },
            {{"namespaces", kFailed}, {"subscription", kFailed}},
            "subscription",
            {"hear process events"},
            {"--pid host"}},
        Row{"ForeignUsers",
            [](ProbeResults& probes) {
              probes.around = {.foreign_users = true};
              probes.subscription.acknowledged = MakeNoAckError(probes.around);
            },
            {{"capability", kWarning}, {"namespaces", kFailed}, {"subscription", kFailed}},
            "capability",
            {"counts only in this user namespace"},
            {"the host's user namespace"}},
        Row{"AllForeign",
            [](ProbeResults& probes) {
              probes.around = {.foreign_network = true, .foreign_pids = true, .foreign_users = true};
              probes.subscription.acknowledged = MakeSendError(ECONNREFUSED, probes.around);
            },
            {{"kernel", kWarning}, {"capability", kWarning}, {"namespaces", kFailed}, {"subscription", kFailed}},
            "namespaces",
            {"network, PID, user"},
            {"--network host", "--pid host", "--userns host"}},
        Row{"SmallBuffer",
            [](ProbeResults& probes) { probes.subscription.buffer_bytes = 212992; },
            {{"buffer", kWarning}},
            "buffer",
            {"208KiB", "32768KiB"},
            {"CAP_NET_ADMIN", "net.core.rmem_max, which is 212992"}},
        Row{"SmallBufferOfUnknownLimit",
            [](ProbeResults& probes) {
              probes.subscription.buffer_bytes = 212992;
              probes.buffer_sysctl.reset();
            },
            {{"buffer", kWarning}},
            "buffer",
            {},
            {"net.core.rmem_max"}},
        Row{"HidePid",
            [](ProbeResults& probes) {
              probes.processes = Error{"see the processes of others in /proc", 0, "hidepid; x"};
            },
            {{"proc", kWarning}},
            "proc",
            {"cannot see the processes of others in /proc"},
            {"hidepid; x"}},
        Row{"NoForkCount",
            [](ProbeResults& probes) {
              probes.forks = Error{"open /proc/stat", EACCES, "mount /proc"};
            },
            {{"audit", kWarning}},
            "audit",
            {"/proc/stat: Permission denied"},
            {"mount /proc"}},
        Row{"NoProc",
            [](ProbeResults& probes) {
              probes.proc_mounted = false;
              probes.processes = Error{"see the processes of others in /proc", 0, "hidepid"};
              probes.forks = Error{"open /proc/stat", ENOENT, "mount /proc"};
            },
            {{"namespaces", kWarning}, {"proc", kWarning}, {"audit", kWarning}},
            "proc",
            {"not mounted"},
            {"mount it"}},
        Row{"NoProcAndNoAnswer",
            [](ProbeResults& probes) {
              probes.proc_mounted = false;
              probes.subscription.acknowledged = MakeNoAckError({});
            },
            {{"kernel", kWarning}, {"namespaces", kWarning}, {"proc", kWarning}, {"subscription", kFailed}},
            "kernel",
            {"not to be seen from here"},
            {"with /proc mounted"}},
        Row{"UnheardExit",
            [](ProbeResults& probes) {
              probes.subscription.heard = {EventKind::kFork, EventKind::kComm};
              probes.subscription.not_heard = {EventKind::kExit};
            },
            {{"subscription", kFailed}},
            "subscription",
            {"unheard were: exit"},
            {"again", "silences"}},
        Row{"NoChild",
            [](ProbeResults& probes) {
              probes.subscription.forked = Error{"fork a child", EAGAIN, "ulimit -u"};
            },
            {{"subscription", kFailed}},
            "subscription",
            {"cannot fork a child"},
            {"ulimit -u"}},
        Row{"TakenAddress",
            [](ProbeResults& probes) {
              probes.address_fault =
                  "cannot listen on :1: Address already in use; another program listens there; stop it";
            },
            {{"address", kFailed}},
            "address",
            {"cannot listen on :1: Address already in use"},
            {"another program listens there; stop it"}}),
    [](const auto& row) { return row.param.name; });

}  // namespace

namespace {

const std::vector<Check> kThree{{"kernel", Check::State::kOk, "Linux 6.18", ""},
                                {"buffer", Check::State::kWarning, "it is small", "raise it"},
                                {"address", Check::State::kFailed, "\"here\"\n\xFF", "choose\\another"}};

TEST(DoctorTest, PrintsALineForEachCheck) {
  EXPECT_EQ(
      FormatChecksAsText({kThree[0], kThree[1], {"address", Check::State::kFailed, "it is taken", "choose another"}}),
      "ok      kernel: Linux 6.18\n"
      "warning buffer: it is small; raise it\n"
      "FAILED  address: it is taken; choose another\n");
}

TEST(DoctorTest, PrintsOneJsonObject) {
  EXPECT_EQ(FormatChecksAsJson(kThree),
            R"({"ok":false,"checks":[{"name":"kernel","state":"ok","finding":"Linux 6.18","remedy":""},)"
            R"({"name":"buffer","state":"warning","finding":"it is small","remedy":"raise it"},)"
            R"({"name":"address","state":"failed","finding":"\"here\"\n\ufffd","remedy":"choose\\another"}]})"
            "\n");
}

TEST(DoctorTest, AWarningIsNoFailure) {
  EXPECT_EQ(FormatChecksAsJson({kThree[1]}).substr(0, 10), R"({"ok":true)");
  EXPECT_TRUE(NoCheckFailed({kThree[0], kThree[1]}));
  EXPECT_FALSE(NoCheckFailed(kThree));
}

}  // namespace

}  // namespace procevent

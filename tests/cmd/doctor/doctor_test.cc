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

// Probe results of a machine without any problem.
ProbeResults HealthyMachine() {
  ProbeResults probes;
  probes.kernel_release = "6.18.44-generic";
  probes.has_net_admin = true;
  probes.requested_buffer_bytes = 32U << 20U;
  probes.rmem_max = 212992;
  probes.subscription.buffer_bytes = 32U << 20U;
  probes.subscription.received = {EventKind::kFork, EventKind::kComm, EventKind::kExit};
  probes.addresses = "0.0.0.0:13675";
  return probes;
}

struct Row {
  std::string name;
  std::function<void(ProbeResults&)> modify;
  std::map<std::string, State> not_ok;  // every check that is not ok
  std::string check;                    // the check that must contain the texts below
  std::vector<std::string> finding;
  std::vector<std::string> remedy;
};

class ChecksTest : public testing::TestWithParam<Row> {};

TEST_P(ChecksTest, FindsTheProblemAndNamesItsRemedy) {
  const Row& row = GetParam();
  ProbeResults probes = HealthyMachine();
  row.modify(probes);
  const std::vector<Check> checks = EvaluateChecks(probes);
  bool failed = false;
  bool has_check = false;
  for (const Check& check : checks) {
    const auto expected = row.not_ok.find(std::string(check.name));
    EXPECT_EQ(check.state, expected == row.not_ok.end() ? State::kOk : expected->second) << check.name;
    EXPECT_EQ(check.remedy.empty(), check.state == State::kOk) << check.name;
    EXPECT_FALSE(check.finding.empty()) << check.name;
    failed = failed || check.state == State::kFailed;
    if (check.name == row.check) {
      has_check = true;
      for (const std::string& text : row.finding) {
        EXPECT_THAT(check.finding, HasSubstr(text));
      }
      for (const std::string& text : row.remedy) {
        EXPECT_THAT(check.remedy, HasSubstr(text));
      }
    }
  }
  EXPECT_TRUE(has_check) << row.check;
  EXPECT_EQ(NoCheckFailed(checks), !failed);
}

constexpr auto kWarning = State::kWarning;
constexpr auto kFailed = State::kFailed;

INSTANTIATE_TEST_SUITE_P(
    Rows, ChecksTest,
    testing::Values(
        Row{"HealthyMachine", [](ProbeResults&) {}, {}, "kernel", {"Linux 6.18.44-generic", "CONFIG_PROC_EVENTS"}, {}},
        Row{"TooFewThreads",
            [](ProbeResults& probes) {
              probes.threads = Error{"start the 65 server threads", EAGAIN, "raise it"};
            },
            {{"threads", kFailed}},
            "threads",
            {"cannot start the 65 server threads"},
            {"raise it"}},
        Row{"FewOpenFiles",
            [](ProbeResults& probes) { probes.low_open_files_limit = LowOpenFilesLimit{.limit = 64}; },
            {{"open files", kWarning}},
            "open files",
            {"limit of open files", "many clients at once can delay scrapes", "64"},
            {"raise the limit of open files (ulimit -n) to 400 or more"}},
        Row{"TooFewOpenFiles",
            [](ProbeResults& probes) {
              probes.low_open_files_limit = LowOpenFilesLimit{.limit = 6, .too_low_to_serve = true};
            },
            {{"open files", kFailed}},
            "open files",
            {"the limit of open files is too low to serve", "6"},
            {"raise the limit of open files (ulimit -n) to 400 or more"}},
        Row{"TooLittleMemory",
            [](ProbeResults& probes) {
              probes.started = Error{"start", "not enough memory", "raise ulimit -v"};
            },
            {{"start", kFailed}},
            "start",
            {"not enough memory"},
            {"raise ulimit -v"}},
        Row{"LargestBufferIsRoundedToKiB",
            [](ProbeResults& probes) {
              probes.requested_buffer_bytes =
                  (1U << 30U) - 1;  // half of the maximum of an int, less a fraction of a KiB
              probes.subscription.buffer_bytes = probes.requested_buffer_bytes;
            },
            {},
            "buffer",
            {"1048576KiB"},
            {}},
        Row{"ReceivedChildEventsAreListed", [](ProbeResults&) {}, {}, "subscription", {"fork, comm, exit"}, {}},
        Row{"BufferSizeIsNamed", [](ProbeResults&) {}, {}, "buffer", {"32768KiB"}, {}},
        Row{"NoConnector",
            [](ProbeResults& probes) {
              probes.subscription.opened = MakeOpenError(EPROTONOSUPPORT);
              probes.environment = {.foreign_network = true};  // the result without /proc/net/connector
            },
            {{"kernel", kFailed}, {"buffer", kWarning}, {"subscription", kFailed}},
            "kernel",
            {"Linux 6.18.44-generic"},
            {"CONFIG_CONNECTOR", "boot a kernel with"}},
        Row{"NoProcEvents",
            [](ProbeResults& probes) {
              probes.environment = {.no_proc_events = true};
              probes.subscription.acknowledged = MakeNoAckError(probes.environment);
            },
            {{"kernel", kFailed}, {"subscription", kFailed}},
            "kernel",
            {"without process events"},
            {"CONFIG_PROC_EVENTS", "boot a kernel with"}},
        Row{"NetlinkForbidden",
            [](ProbeResults& probes) { probes.subscription.opened = MakeOpenError(EACCES); },
            {{"buffer", kWarning}, {"subscription", kFailed}},
            "subscription",
            {"open the connector socket", "Permission denied"},
            {"AF_NETLINK"}},
        Row{"NoCapability",
            [](ProbeResults& probes) { probes.has_net_admin = false; },
            {{"capability", kWarning}},
            "capability",
            {"CAP_NET_ADMIN is missing"},
            {"root", "--cap-add NET_ADMIN", "AmbientCapabilities"}},
        Row{"NoCapabilityBeforeLinux66",
            [](ProbeResults& probes) {
              probes.has_net_admin = false;
              probes.kernel_release = "6.5.13";
              probes.subscription.opened = MakeBindError(EPERM);
            },
            {{"capability", kFailed}, {"buffer", kWarning}, {"subscription", kFailed}},
            "capability",
            {"CAP_NET_ADMIN is missing", "before 6.6"},
            {"--cap-add NET_ADMIN"}},
        Row{"NoCapabilityOnLinux66",
            [](ProbeResults& probes) {
              probes.has_net_admin = false;
              probes.kernel_release = "6.6";
            },
            {{"capability", kWarning}},
            "capability",
            {"since Linux 6.6", "receive buffer"},
            {}},
        Row{"NoCapabilityOnLinux5",
            [](ProbeResults& probes) {
              probes.has_net_admin = false;
              probes.kernel_release = "5.10.0-30-amd64";
            },
            {{"capability", kFailed}},
            "capability",
            {},
            {}},
        Row{"NoCapabilityOnUnparsableRelease",
            [](ProbeResults& probes) {
              probes.has_net_admin = false;
              probes.kernel_release = "custom\n";
            },
            {{"capability", kWarning}},
            "kernel",
            {"custom\\x0a"},
            {}},
        Row{"ForeignNetwork",
            [](ProbeResults& probes) {
              probes.environment = {.foreign_network = true};
              probes.subscription.acknowledged = MakeSendError(ECONNREFUSED, probes.environment);
            },
            {{"kernel", kWarning}, {"namespaces", kFailed}, {"subscription", kFailed}},
            "namespaces",
            {"this is not the host's network namespace"},
            {"--network host"}},
        Row{"ForeignPids",
            [](ProbeResults& probes) {
              probes.environment = {.foreign_pids = true};
              probes.subscription.acknowledged = MakeNoAckError(probes.environment);
            },
            {{"namespaces", kFailed}, {"subscription", kFailed}},
            "subscription",
            {"process events"},
            {"--pid host"}},
        Row{"ForeignUsers",
            [](ProbeResults& probes) {
              probes.environment = {.foreign_users = true};
              probes.subscription.acknowledged = MakeNoAckError(probes.environment);
            },
            {{"capability", kWarning}, {"namespaces", kFailed}, {"subscription", kFailed}},
            "capability",
            {"CAP_NET_ADMIN", "only in this user namespace"},
            {"the host's user namespace"}},
        Row{"AllForeign",
            [](ProbeResults& probes) {
              probes.environment = {.foreign_network = true, .foreign_pids = true, .foreign_users = true};
              probes.subscription.acknowledged = MakeSendError(ECONNREFUSED, probes.environment);
            },
            {{"kernel", kWarning}, {"capability", kWarning}, {"namespaces", kFailed}, {"subscription", kFailed}},
            "namespaces",
            {"these are not the host's network, PID and user namespaces"},
            {"--network host", "--pid host", "--userns host"}},
        Row{"ForeignTime",
            [](ProbeResults& probes) {
              probes.subscription.clock_offset_ns = -100'000'000'000'000;
              probes.subscription.acknowledged = MakeTimeNamespaceError(-100'000'000'000'000);
            },
            {{"namespaces", kFailed}, {"subscription", kFailed}},
            "namespaces",
            {"time namespace", "differs from the kernel's", "by -100000000ms"},
            {"unshare without --time"}},
        Row{"SmallBuffer",
            [](ProbeResults& probes) { probes.subscription.buffer_bytes = 212992; },
            {{"buffer", kWarning}},
            "buffer",
            {"208KiB", "32768KiB", "net.core.rmem_max is 212992"},
            {"CAP_NET_ADMIN", "net.core.rmem_max"}},
        Row{"SmallBufferWithUnknownSysctl",
            [](ProbeResults& probes) {
              probes.subscription.buffer_bytes = 212992;
              probes.rmem_max.reset();
            },
            {{"buffer", kWarning}},
            "buffer",
            {},
            {"net.core.rmem_max"}},
        Row{"HiddenProcesses",
            [](ProbeResults& probes) {
              probes.proc_visibility = Error{"read the processes of other users in /proc", "hidepid", "x"};
            },
            {{"proc", kWarning}},
            "proc",
            {"cannot read the processes of other users in /proc: hidepid"},
            {"x"}},
        Row{"NoForkCount",
            [](ProbeResults& probes) {
              probes.clone_count = Error{"open /proc/stat", EACCES, "mount /proc"};
            },
            {{"audit", kWarning}},
            "audit",
            {"/proc/stat: Permission denied"},
            {"mount /proc"}},
        Row{"NoProc",
            [](ProbeResults& probes) {
              probes.proc_mounted = false;
              probes.proc_visibility = Error{"read the processes of other users in /proc", "hidepid"};
              probes.clone_count = Error{"open /proc/stat", ENOENT, "mount /proc"};
            },
            {{"namespaces", kWarning}, {"proc", kWarning}, {"audit", kWarning}},
            "proc",
            {"not mounted"},
            {"mount /proc"}},
        Row{"NoProcAndNoAck",
            [](ProbeResults& probes) {
              probes.proc_mounted = false;
              probes.subscription.acknowledged = MakeNoAckError({});
            },
            {{"kernel", kWarning}, {"namespaces", kWarning}, {"proc", kWarning}, {"subscription", kFailed}},
            "kernel",
            {"cannot determine", "CONFIG_PROC_EVENTS"},
            {"with /proc mounted"}},
        Row{"MissingExitEvent",
            [](ProbeResults& probes) {
              probes.subscription.received = {EventKind::kFork, EventKind::kComm};
              probes.subscription.missing = {EventKind::kExit};
            },
            {{"subscription", kFailed}},
            "subscription",
            {"not received (exit)"},
            {"again", "program"}},
        Row{"NoChild",
            [](ProbeResults& probes) {
              probes.subscription.child_probed = Error{"fork a child", EAGAIN, "ulimit -u"};
            },
            {{"subscription", kFailed}},
            "subscription",
            {"cannot fork a child"},
            {"ulimit -u"}},
        Row{"TakenAddress",
            [](ProbeResults& probes) {
              probes.addresses_available = Error{"listen on", EADDRINUSE, "stop that program", ":1"};
            },
            {{"address", kFailed}},
            "address",
            {"cannot listen on :1: Address already in use"},
            {"stop that program"}}),
    [](const auto& row) { return row.param.name; });

const std::vector<Check> kChecks{{"kernel", Check::State::kOk, "Linux 6.18", ""},
                                 {"buffer", Check::State::kWarning, "it is small", "raise it"},
                                 {"address", Check::State::kFailed, "\"here\"\n\xFF", "choose\\another"}};

TEST(DoctorTest, PrintsOneLineForEachCheck) {
  EXPECT_EQ(
      FormatChecksAsText({kChecks[0], kChecks[1], {"address", Check::State::kFailed, "it is taken", "choose another"}}),
      "ok      kernel: Linux 6.18\n"
      "warning buffer: it is small; raise it\n"
      "FAILED  address: it is taken; choose another\n");
}

TEST(DoctorTest, PrintsOneJsonObject) {
  EXPECT_EQ(FormatChecksAsJson(kChecks),
            R"({"ok":false,"checks":[{"name":"kernel","state":"ok","finding":"Linux 6.18","remedy":""},)"
            R"({"name":"buffer","state":"warning","finding":"it is small","remedy":"raise it"},)"
            R"({"name":"address","state":"failed","finding":"\"here\"\n\ufffd","remedy":"choose\\another"}]})"
            "\n");
}

TEST(DoctorTest, EscapesInvisibleCharactersInJson) {
  EXPECT_THAT(FormatChecksAsJson({{"kernel", Check::State::kOk, "\x7f\xC2\x85\xE2\x80\xAE\xF3\xA0\x80\x81", ""}}),
              HasSubstr(R"("finding":"\u007f\u0085\u202e\udb40\udc01")"));
}

TEST(DoctorTest, TreatsWarningsAsSuccess) {
  EXPECT_EQ(FormatChecksAsJson({kChecks[1]}).substr(0, 10), R"({"ok":true)");
  EXPECT_TRUE(NoCheckFailed({kChecks[0], kChecks[1]}));
  EXPECT_FALSE(NoCheckFailed(kChecks));
}

}  // namespace

}  // namespace procevent

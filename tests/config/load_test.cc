#include "config/load.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/schema.h"
#include "exporter/metrics/exporter_state.h"
#include "tests/config/loaded_errors.h"

namespace procevent {

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> ErrorsOf(std::string_view text) { return DescribeErrors(LoadConfig(text, "f.yml")); }

Config Load(std::string_view text) {
  const LoadedConfig loaded = LoadConfig(text, "f.yml");
  EXPECT_THAT(ErrorsOf(text), ElementsAre());
  return loaded ? loaded.value().config : Config{};
}

struct DefaultsRow {
  const char* name;
  const char* text;
};
class DefaultsTest : public testing::TestWithParam<DefaultsRow> {};
TEST_P(DefaultsTest, AreLoaded) { EXPECT_EQ(Load(GetParam().text), Config{}); }
INSTANTIATE_TEST_SUITE_P(Rows, DefaultsTest,
                         testing::Values(DefaultsRow{"Empty", ""}, DefaultsRow{"LineEnds", "\n\r\n\n"},
                                         DefaultsRow{"Comments", "# one\n# two: three\n"},
                                         DefaultsRow{"Marker", "---\n"}, DefaultsRow{"MarkerAndEnd", "---\n...\n"},
                                         DefaultsRow{"EmptyMap", "{}\n"}, DefaultsRow{"EmptySection", "log: {}\n"},
                                         DefaultsRow{"EmptySectionBeforeAnother", "web:\nlog:\n  level: info\n"},
                                         DefaultsRow{"SectionOfComments", "log:\n  # level: debug\n"},
                                         DefaultsRow{"NullSection", "log: null\nweb: ~\n"}),
                         [](const auto& row) { return row.param.name; });

TEST(LoadTest, ReadsEveryKey) {
  const Config config = Load(
      "web:\n  listen_addresses: ['127.0.0.1:1', \"127.0.0.2:1\", :2]\n  telemetry_path: /m\n"
      "  allow: [127.0.0.1, 10.0.0.0/8]\n  max_requests: 64\n"
      "source:\n  receive_buffer: 64KiB\n  events: [exec, exit]\n"
      "reader: {drain_interval: 1s, canary_interval: 60s}\n"
      "processes: {limit: 1024}\n"
      "groups: {limit: 10000, retire_after: 1m, first_scrapes: 10}\n"
      "name_groups:\n  - match: (a+)b\n    name: \\1\n  - {name: c, match: d}\n"
      "histograms:\n  exit_code: {buckets: [0, 255], by_group: true}\n  lifetime: {buckets: [1ms, 720h], by_group: "
      "true}\n"
      "log:\n  level: debug\n  format: json\n");
  EXPECT_THAT(config.server.listen_addresses, ElementsAre("127.0.0.1:1", "127.0.0.2:1", ":2"));
  EXPECT_EQ(config.server.telemetry_path, "/m");
  EXPECT_THAT(config.server.allow, ElementsAre("127.0.0.1", "10.0.0.0/8"));
  EXPECT_EQ(config.server.max_requests, 64U);
  EXPECT_EQ(config.server.first_scrapes, 10U);
  EXPECT_EQ(config.connector.receive_buffer_bytes, 65536U);
  EXPECT_EQ(config.connector.events,
            EventMask::None().With(EventKind::kExec).With(EventKind::kExit).With(EventKind::kComm));
  EXPECT_EQ(config.reader.drain_interval, std::chrono::milliseconds(1000));
  EXPECT_EQ(config.reader.canary_interval, std::chrono::milliseconds(60'000));
  EXPECT_EQ(config.counting,
            (CountingOptions{.process_limit = 1024,
                             .group_limit = 10'000,
                             .group_retire_after = std::chrono::minutes(1),
                             .name_groups = {{"(a+)b", "\\1"}, {"d", "c"}},
                             .exit_code_bounds = {0, 255},
                             .lifetime_bounds = {std::chrono::milliseconds(1), std::chrono::hours(720)},
                             .exit_code_by_group = true,
                             .lifetime_by_group = true}));
  EXPECT_EQ(config.log, (LogOptions{LogLevel::kDebug, LogFormat::kJson}));
}

TEST(LoadTest, ListOfAllEventsEqualsAll) {
  EXPECT_EQ(Load("source: {events: [fork, exec, exit, uid, gid, sid, ptrace, comm, coredump]}").connector.events,
            EventMask::All());
  EXPECT_EQ(Load("source: {events: all}").connector.events, EventMask::All());
}

TEST(LoadTest, AlwaysIncludesComm) {
  const EventMask comm = EventMask::None().With(EventKind::kComm);
  EXPECT_EQ(Load("source: {events: [comm]}").connector.events, comm);
  EXPECT_EQ(Load("source: {events: [fork]}").connector.events, comm.With(EventKind::kFork));
}

TEST(LoadTest, BoundsAreInclusive) {
  EXPECT_EQ(Load("source: {receive_buffer: 1GiB}").connector.receive_buffer_bytes, 1U << 30U);
  EXPECT_EQ(Load("web: {max_requests: 1}").server.max_requests, 1U);
  EXPECT_EQ(Load("source: {receive_buffer: 65536}").connector.receive_buffer_bytes, 65536U);
  EXPECT_EQ(Load("reader: {drain_interval: 1ms}").reader.drain_interval, std::chrono::milliseconds(1));
  EXPECT_EQ(Load("reader: {canary_interval: 1m}").reader.canary_interval, std::chrono::milliseconds(60'000));
  EXPECT_EQ(Load("reader: {canary_interval: 1000ms}").reader.canary_interval, std::chrono::milliseconds(1000));
}

TEST(LoadTest, AcceptsSixteenAddressesAndSixtyFourNetworks) {
  std::string text = "web:\n  listen_addresses:\n";
  for (int i = 1; i <= 16; ++i) {
    text += "  - 127.0.0.1:" + std::to_string(i) + "\n";
  }
  text += "  allow:\n";
  for (int i = 1; i <= 64; ++i) {
    text += "  - 10.0.0." + std::to_string(i) + "\n";
  }
  const ServerOptions server = Load(text).server;
  EXPECT_EQ(server.listen_addresses.size(), 16U);
  EXPECT_EQ(server.allow.size(), 64U);
}

TEST(LoadTest, ScalarIsAListOfOne) {
  EXPECT_THAT(Load("web: {listen_addresses: ':1'}").server.listen_addresses, ElementsAre(":1"));
  EXPECT_THAT(Load("web: {allow: 10.0.0.0/8}").server.allow, ElementsAre("10.0.0.0/8"));
  EXPECT_EQ(Load("source: {events: exec}").connector.events, Load("source: {events: [exec]}").connector.events);
  const CountingOptions counting = Load("histograms: {exit_code: {buckets: 1}, lifetime: {buckets: 1s}}").counting;
  EXPECT_THAT(counting.exit_code_bounds, ElementsAre(1U));
  EXPECT_THAT(counting.lifetime_bounds, ElementsAre(std::chrono::seconds(1)));
}

TEST(LoadTest, AllowAllIsAnEmptyList) { EXPECT_THAT(Load("web: {allow: all}").server.allow, ElementsAre()); }

TEST(LoadTest, EmptyListReplacesTheDefaultGroup) { EXPECT_TRUE(Load("name_groups: []").counting.name_groups.empty()); }

TEST(LoadTest, RecordsTheLineOfEachKey) {
  const LoadedConfig loaded = LoadConfig("log:\n  level: info\n\nname_groups:\n  []\nweb: {allow:\n  all}\n", "f.yml");
  const auto& origins = loaded.value().origins;
  const auto line = [](int number) { return Origin{Origin::Kind::kFile, "f.yml", number}; };
  EXPECT_THAT(origins,
              testing::UnorderedElementsAre(testing::Pair("log.level", line(2)), testing::Pair("name_groups", line(4)),
                                            testing::Pair("web.allow", line(6))));
}

TEST(LoadTest, ReportsAllErrorsInTheOrderOfTheText) {
  EXPECT_THAT(ErrorsOf("web:\n  listen_addresses: [x, :1, :1]\n  telemetry_path:\n  colour: red\n"
                       "source:\n  receive_buffer: 1\n  receive_buffer: 2\n  events: &e [fork, clone]\n"
                       "log:\n  level: *e\n"),
              ElementsAre(AllOf(StartsWith("f.yml:2:22: web.listen_addresses[0]: "), HasSubstr(R"("x")")),
                          AllOf(StartsWith("f.yml:2:29: web.listen_addresses[2]: "), HasSubstr(R"(":1")")),
                          StartsWith("f.yml:3:3: web.telemetry_path: missing value"),
                          StartsWith(R"(f.yml:4:3: web: unknown key "colour")"),
                          AllOf(StartsWith("f.yml:6:19: source.receive_buffer: "), HasSubstr(R"("1")")),
                          StartsWith(R"(f.yml:7:3: source: duplicate key "receive_buffer")"),
                          AllOf(StartsWith("f.yml:8:11: source.events: "), HasSubstr("anchor")),
                          AllOf(StartsWith("f.yml:8:21: source.events[1]: "), HasSubstr(R"("clone")")),
                          AllOf(StartsWith("f.yml:10:10: log.level: "), HasSubstr("alias"))));
}

TEST(LoadTest, ReportsAHundredErrorsAndTheNumberOfTheRest) {
  std::string text = "log:\n";
  for (int i = 0; i < 150; ++i) {
    text += "  k" + std::to_string(i) + ": 1\n";
  }
  const auto errors = ErrorsOf(text);
  ASSERT_EQ(errors.size(), 101U);
  EXPECT_THAT(errors.back(), AllOf(StartsWith("f.yml: "), HasSubstr("50 more errors; correct the errors above first")));
}

TEST(LoadTest, PrintsNoControlCharacters) {
  EXPECT_THAT(ErrorsOf("log: {level: \"\\e[2J\\n\"}"),
              ElementsAre(AllOf(StartsWith("f.yml:1:14: log.level: "), HasSubstr(R"("\x1b[2J\x0a")"))));
  EXPECT_THAT(ErrorsOf("\"a\\nb\": 1"), ElementsAre(StartsWith(R"(f.yml:1:1: unknown key "a\x0ab")")));
}

constexpr const char* kDefaultFile = "deploy/procevent_exporter.yml";

class LoadFileTest : public testing::Test {
 protected:
  LoadFileTest() {
    std::string name = testing::TempDir() + "procevent_config_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~LoadFileTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string PathOf(const std::string& name) const { return folder_ + '/' + name; }
  [[nodiscard]] std::string Write(const std::string& name, std::string_view text) const {
    std::ofstream(PathOf(name), std::ios::binary) << text;
    return PathOf(name);
  }
  static std::vector<std::string> ErrorsOf(const std::string& path) { return DescribeErrors(LoadConfigFile(path)); }

 private:
  std::string folder_;
};

// Runs as the user nobody, because root may read every file.
class ScopedNobodyUser {
 public:
  ScopedNobodyUser() { EXPECT_EQ(::geteuid() == 0 ? ::seteuid(kNobody) : 0, 0); }
  ~ScopedNobodyUser() { EXPECT_EQ(::seteuid(original_uid_), 0); }

 private:
  static constexpr uid_t kNobody = 65534;
  uid_t original_uid_ = ::geteuid();
};

TEST_F(LoadFileTest, AnnotatedFileEqualsTheDefaults) {
  const LoadedConfig loaded = LoadConfigFile(kDefaultFile);
  ASSERT_THAT(ErrorsOf(kDefaultFile), ElementsAre());
  EXPECT_EQ(loaded.value().config, Config{});
}

// Wraps a comment at 120 columns.
std::string FormatComment(const std::string& indent, const std::string& text) {
  std::string comment;
  std::string line = indent + '#';
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > 120) {
      comment += line + '\n';
      line = indent + '#';
    }
    line += ' ' + word;
  }
  return comment + line + '\n';
}

// By ReloadRule.
constexpr std::array<std::string_view, 3> kReloadTexts{"", " A reload (SIGHUP) applies a larger value.",
                                                       " A reload (SIGHUP) applies a change."};

// The keys of the annotated file: help, type and bounds, and default of each.
std::string FormatAnnotatedKeys() {
  std::string text;
  std::string_view section;
  for (const Option& option : Schema()) {
    const std::size_t dots = static_cast<std::size_t>(std::ranges::count(option.key, '.'));
    const std::string_view top = option.key.substr(0, option.key.find('.'));
    const std::string_view parent = option.key.substr(0, option.key.rfind('.'));
    const bool opens_parent = dots > 0 && parent != section;
    const bool opens_top = opens_parent && section.substr(0, section.find('.')) != top;
    text += '\n' + (opens_top ? std::string(top) + ":\n" : "");
    text += opens_parent && dots > 1 ? "  " + std::string(parent.substr(parent.find('.') + 1)) + ":\n" : "";
    section = dots > 0 ? parent : "";
    const std::string indent(2 * dots, ' ');
    text += FormatComment(indent, std::string(option.help));
    text += FormatComment(
        indent,
        "Value: " + DescribeExpected(option) + '.' +
            (option.other_flag.empty() ? "" : " A second name of the flag: --" + std::string(option.other_flag) + ".") +
            std::string(kReloadTexts.at(static_cast<std::size_t>(option.reload))));
    text += indent + std::string(option.key.substr(option.key.rfind('.') + 1)) + ": " + FormatDefault(option) + '\n';
  }
  return text;
}

// People write the head of the annotated file. The keys below it come from the schema.
TEST_F(LoadFileTest, AnnotatedFileDescribesEveryOption) {
  std::ifstream file(kDefaultFile);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string expected = text.substr(0, text.find("\n\n") + 1) + FormatAnnotatedKeys();
  if (std::getenv("PROCEVENT_REFRESH_GOLDEN") != nullptr) {
    std::ofstream(kDefaultFile) << expected;
  }
  EXPECT_EQ(text, expected) << "run this test with PROCEVENT_REFRESH_GOLDEN=1 to write the file";
}

TEST_F(LoadFileTest, AnnotatedFileBeginsWithTheDescription) {
  std::ifstream file(kDefaultFile);
  std::string text;
  for (std::string line; std::getline(file, line) && line != "#";) {
    text += (text.empty() ? "" : " ") + line.substr(2);
  }
  EXPECT_EQ(text, Description());
}

TEST_F(LoadFileTest, ErrorsBeginWithTheFile) {
  const std::string path = Write("bad.yml", "log:\n  level: loud\n");
  EXPECT_THAT(ErrorsOf(path), ElementsAre(AllOf(StartsWith(path + ":2:10: log.level: "), HasSubstr(R"("loud")"))));
}

TEST_F(LoadFileTest, RejectsMissingFile) {
  const std::string path = PathOf("none.yml");
  EXPECT_THAT(ErrorsOf(path), ElementsAre(AllOf(StartsWith(path + ": cannot open "),
                                                HasSubstr("No such file or directory; "), HasSubstr("existing file"))));
}

TEST_F(LoadFileTest, RejectsFileWithoutPermission) {
  const std::string path = Write("secret.yml", "");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const ScopedNobodyUser nobody;
  EXPECT_THAT(ErrorsOf(path),
              ElementsAre(AllOf(StartsWith(path + ": cannot open "), HasSubstr("Permission denied; "),
                                HasSubstr("no privileges after start-up"), HasSubstr("chmod"), HasSubstr("chown"))));
}

auto IsNoRegularFile(const std::string& path, const std::string& kind) {
  return AllOf(StartsWith(path + ": cannot read "), HasSubstr(kind + "; "), HasSubstr("regular file"));
}

TEST_F(LoadFileTest, RejectsDirectory) {
  EXPECT_THAT(ErrorsOf(PathOf("")), ElementsAre(IsNoRegularFile(PathOf(""), "directory")));
}

// Opening a FIFO without a writer must not block.
TEST_F(LoadFileTest, RejectsFifo) {
  const std::string path = PathOf("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(ErrorsOf(path), ElementsAre(IsNoRegularFile(path, "FIFO")));
}

TEST_F(LoadFileTest, RejectsDevice) {
  EXPECT_THAT(ErrorsOf("/dev/zero"), ElementsAre(IsNoRegularFile("/dev/zero", "device")));
}

TEST_F(LoadFileTest, AcceptsEmptyFile) { EXPECT_THAT(ErrorsOf(Write("empty.yml", "")), ElementsAre()); }

TEST_F(LoadFileTest, AcceptsAtMostOneMebibyte) {
  std::string text(1U << 20U, '\n');
  EXPECT_THAT(ErrorsOf(Write("large.yml", text)), ElementsAre());
  text += '\n';
  const std::string path = Write("larger.yml", text);
  EXPECT_THAT(ErrorsOf(path), ElementsAre(AllOf(StartsWith(path + ": cannot read "), HasSubstr("1MiB"))));
}

TEST_F(LoadFileTest, EscapesTheNameOfTheFile) {
  EXPECT_THAT(ErrorsOf("/nowhere/\x1b[2J\n"), ElementsAre(StartsWith("/nowhere/\\x1b[2J\\x0a: cannot open ")));
}

}  // namespace

}  // namespace procevent

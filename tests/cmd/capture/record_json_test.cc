#include "cmd/capture/record_json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cmd/capture/event_json.h"
#include "core/protocol/capture_packet.h"

// The JSON line of each record, byte for byte.
namespace procevent {
namespace {

struct Row {
  std::string name;
  PacketContent record;
  std::string line;
};

using Kind = ProcRead::Kind;
using Reason = RejectedDatagram::Reason;

ProcRead Read(Kind kind, bool requested = false) {
  return {.kind = kind,
          .requested = requested,
          .snapshot = {.tgid = 4711,
                       .taken_ns = 1007,
                       .name = CommName("bash"),
                       .threads = 2,
                       .start_ns = 99,
                       .euid = 1000,
                       .egid = 1001}};
}

std::string Process(const std::string& comm, const std::string& rest) {
  return R"({"record":"process","timestamp_ns":1007,"pid":4711,"comm":)" + comm + rest + "}";
}

std::vector<Row> Rows() {
  ProcRead with_parent = Read(Kind::kBootstrap);
  with_parent.snapshot.parent = 815;
  const std::string usual = R"(,"euid":1000,"egid":1001,"threads":2,"start_ns":99,"reason":)";
  ProcRead hostile = Read(Kind::kBootstrap);
  hostile.snapshot.name = CommName("a\n\xff");
  ProcRead flags = Read(Kind::kFull);
  flags.snapshot = {.tgid = 4711,
                    .taken_ns = 1007,
                    .name = {},
                    .leader_gone = true,
                    .dead = true,
                    .may_be_in_exec = true,
                    .without_memory = true};
  return {
      {"Metadata", CaptureMetadata{.clock_offset_ns = 1ULL << 60U, .cpus = 128, .coverage = EventCoverage::kLifecycle},
       R"({"record":"metadata","cpus":128,"coverage":"lifecycle","clock_offset_ns":1152921504606846976})"},
      {"Start", Read(Kind::kBootstrap), Process(R"("bash")", usual + R"("start","requested":false)")},
      {"Parent", with_parent,
       Process(R"("bash")", R"(,"euid":1000,"egid":1001,"parent_pid":815,"threads":2,"start_ns":99,"reason":)"
                            R"("start","requested":false)")},
      {"Found", Read(Kind::kReconciliation), Process(R"("bash")", usual + R"("found","requested":false)")},
      {"Stale", Read(Kind::kFull, true), Process(R"("bash")", usual + R"("stale","requested":true)")},
      {"Name", Read(Kind::kNameOnly, true), Process(R"("bash")", usual + R"("name","requested":true)")},
      {"HostileName", hostile,
       Process(R"("a\\x0a\\xff","comm_hex":"610aff00000000000000000000000000")",
               usual + R"("start","requested":false)")},
      {"FlagsAndUnknownUser", flags,
       Process(R"("")", R"(,"threads":0,"start_ns":0,"leader_gone":true,"dead":true,"may_be_in_exec":true,)"
                        R"("without_memory":true,"reason":"stale","requested":false)")},
      {"Gone", Read(Kind::kGone, true), R"({"record":"process_gone","timestamp_ns":1007,"pid":4711,"requested":true})"},
      {"Hidden", Read(Kind::kHidden),
       R"({"record":"process_hidden","timestamp_ns":1007,"pid":4711,"requested":false})"},
      {"Watermark", Watermark{77}, R"({"record":"watermark","timestamp_ns":77})"},
      {"Invalidation", Invalidation{}, R"({"record":"invalidation"})"},
      {"ForeignSender", RejectedDatagram{Reason::kForeignSender},
       R"({"record":"rejection","reason":"foreign_sender"})"},
      {"Oversized", RejectedDatagram{Reason::kOversized}, R"({"record":"rejection","reason":"oversized"})"},
      {"NoRequest", NoProcRequest{}, R"({"record":"no_request"})"},
      {"Unknown", UnknownRecord{.kind = 22, .bytes = 328}, R"({"record":"unknown","kind":22,"length":328})"},
      {"Invalid", InvalidRecord{}, R"({"record":"invalid"})"},
  };
}

class RecordJsonTest : public testing::TestWithParam<Row> {};

TEST_P(RecordJsonTest, FormatsRecord) { EXPECT_EQ(FormatRecordJsonLine(GetParam().record), GetParam().line); }

TEST_P(RecordJsonTest, IsNoMessage) {
  EXPECT_TRUE(IsRecordJsonLine(GetParam().line));
  EXPECT_FALSE(ParseJsonLine(GetParam().line)) << "no message can have the line of a record";
}

INSTANTIATE_TEST_SUITE_P(Records, RecordJsonTest, testing::ValuesIn(Rows()),
                         [](const auto& row) { return row.param.name; });

TEST(RecordJsonTest, OnlyJsonIsARecord) {
  EXPECT_TRUE(IsRecordJsonLine(R"({"record":"of a newer version","key":1})"));
  for (const char* line : {R"({"record":garbage)", R"({"record":"metadata")", R"({"record":5})", R"({"record":null})",
                           R"({"record":})", R"({"event":"fork","record":"metadata"})", R"(["record"])"}) {
    EXPECT_FALSE(IsRecordJsonLine(line)) << line;
  }
}

TEST(RecordJsonTest, OtherPacketsHaveNoLine) {
  EXPECT_EQ(FormatRecordJsonLine(ForeignPacket{}), std::nullopt);
  EXPECT_EQ(FormatRecordJsonLine(ConnectorDatagram{}), std::nullopt);
}

}  // namespace
}  // namespace procevent

#include "cmd/capture/record_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "cmd/capture/json_fields.h"
#include "core/protocol/capture_record.h"
#include "core/protocol/event.h"

namespace procevent {
namespace {

using Json = nlohmann::ordered_json;

// Indexed by EventCoverage.
constexpr std::array<std::string_view, 3> kCoverageNames{"all", "lifecycle", "partial"};

std::string_view DescribeReason(CapturedProcSnapshot::Kind kind) {
  switch (kind) {
    case CapturedProcSnapshot::Kind::kBootstrap:
      return "start";
    case CapturedProcSnapshot::Kind::kReconciliation:
      return "found";
    case CapturedProcSnapshot::Kind::kFull:
      return "stale";
    default:
      return "name";
  }
}

// Adds the keys of a record to its object.
struct RecordWriter {
  Json& object;

  void operator()(const CaptureMetadata& metadata) const {
    object["record"] = "metadata";
    object["cpus"] = metadata.cpus;
    object["coverage"] = kCoverageNames.at(static_cast<std::size_t>(metadata.coverage));
    object["clock_offset_ns"] = metadata.clock_offset_ns;
  }
  void operator()(const CapturedProcSnapshot& captured) const {
    const ProcSnapshot& snapshot = captured.snapshot;
    const bool gone = captured.kind == CapturedProcSnapshot::Kind::kGone;
    if (gone || captured.kind == CapturedProcSnapshot::Kind::kHidden) {
      object["record"] = gone ? "process_gone" : "process_hidden";
      object["timestamp_ns"] = snapshot.taken_ns;
      object["pid"] = snapshot.tgid;
    } else {
      object["record"] = "process";
      WriteSnapshot(snapshot);
      object["reason"] = DescribeReason(captured.kind);
    }
    object["requested"] = captured.requested;
  }
  void operator()(const CapturedWatermark& watermark) const {
    object["record"] = "watermark";
    object["timestamp_ns"] = watermark.applied_until_ns;
  }
  void operator()(const CapturedInvalidation& /*invalidation*/) const { object["record"] = "invalidation"; }
  void operator()(const CapturedRejection& rejection) const {
    object["record"] = "rejection";
    object["reason"] = rejection.reason == CapturedRejection::Reason::kOversized ? "oversized" : "foreign_sender";
  }
  void operator()(const CapturedNoRequest& /*no_request*/) const { object["record"] = "no_request"; }

 private:
  void WriteSnapshot(const ProcSnapshot& snapshot) const {
    object["timestamp_ns"] = snapshot.taken_ns;
    object["pid"] = snapshot.tgid;
    std::array<char, kCommSize> comm{};
    std::ranges::copy(snapshot.name.view(), comm.begin());
    WriteComm(object, comm);
    if (snapshot.euid != kUnknownId) {
      object["euid"] = snapshot.euid;
    }
    if (snapshot.egid != kUnknownId) {
      object["egid"] = snapshot.egid;
    }
    object["threads"] = snapshot.threads;
    object["start_ns"] = snapshot.start_ns;
    for (const auto& [key, value] :
         {std::pair("leader_gone", snapshot.leader_gone), std::pair("dead", snapshot.dead),
          std::pair("may_be_in_exec", snapshot.may_be_in_exec), std::pair("without_memory", snapshot.without_memory)}) {
      if (value) {
        object[key] = true;
      }
    }
  }
};

}  // namespace

std::string FormatRecordJsonLine(std::span<const std::byte> payload) {
  Json object;
  if (const std::optional<CaptureRecord> record = DecodeRecord(payload)) {
    std::visit(RecordWriter{object}, *record);
  } else {
    object["record"] = "unknown";
  }
  return object.dump();
}

bool IsRecordJsonLine(std::string_view line) {
  if (!line.starts_with(R"({"record":)")) {
    return false;
  }
  const Json object = Json::parse(line, nullptr, false);
  const auto record = object.find("record");
  return record != object.end() && record->is_string();
}

}  // namespace procevent

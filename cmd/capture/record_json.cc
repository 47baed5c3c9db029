#include "cmd/capture/record_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "cmd/capture/json_fields.h"
#include "core/protocol/event.h"

namespace procevent {
namespace {

using Json = nlohmann::ordered_json;

// Indexed by EventCoverage.
constexpr std::array<std::string_view, 3> kCoverageNames{"all", "lifecycle", "partial"};

std::string_view DescribeReason(ProcRead::Kind kind) {
  switch (kind) {
    case ProcRead::Kind::kBootstrap:
      return "start";
    case ProcRead::Kind::kReconciliation:
      return "found";
    case ProcRead::Kind::kFull:
      return "stale";
    default:
      return "name";
  }
}

// Adds the keys of an input to its object. A datagram has none: its messages are printed instead.
struct InputWriter {
  Json& object;

  void operator()(const ConnectorDatagram& /*datagram*/) const {}
  void operator()(const ProcRead& read) const {
    const ProcSnapshot& snapshot = read.snapshot;
    const bool gone = read.kind == ProcRead::Kind::kGone;
    if (gone || read.kind == ProcRead::Kind::kHidden) {
      object["record"] = gone ? "process_gone" : "process_hidden";
      object["timestamp_ns"] = snapshot.taken_ns;
      object["pid"] = snapshot.tgid;
    } else {
      object["record"] = "process";
      WriteSnapshot(snapshot);
      object["reason"] = DescribeReason(read.kind);
    }
    object["requested"] = read.requested;
  }
  void operator()(const Watermark& watermark) const {
    object["record"] = "watermark";
    object["timestamp_ns"] = watermark.applied_until_ns;
  }
  void operator()(const Invalidation& /*invalidation*/) const { object["record"] = "invalidation"; }
  void operator()(const RejectedDatagram& rejected) const {
    object["record"] = "rejection";
    object["reason"] = rejected.reason == RejectedDatagram::Reason::kOversized ? "oversized" : "foreign_sender";
  }
  void operator()(const NoProcRequest& /*no_request*/) const { object["record"] = "no_request"; }

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
    if (snapshot.parent != 0) {
      object["parent_pid"] = snapshot.parent;
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

// Adds the keys of a packet to its object: none if it is no record.
struct RecordWriter {
  Json& object;

  void operator()(const ForeignPacket& /*packet*/) const {}
  void operator()(const Input& input) const { std::visit(InputWriter{object}, input); }
  void operator()(const CaptureMetadata& metadata) const {
    object["record"] = "metadata";
    object["cpus"] = metadata.cpus;
    object["coverage"] = kCoverageNames.at(static_cast<std::size_t>(metadata.coverage));
    object["clock_offset_ns"] = metadata.clock_offset_ns;
  }
  void operator()(const UnknownRecord& record) const {
    object["record"] = "unknown";
    object["kind"] = record.kind;
    object["length"] = record.bytes;
  }
  void operator()(const InvalidRecord& /*record*/) const { object["record"] = "invalid"; }
};

}  // namespace

std::optional<std::string> FormatRecordJsonLine(const PacketContent& content) {
  Json object;
  std::visit(RecordWriter{object}, content);
  return object.empty() ? std::nullopt : std::optional(object.dump());
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

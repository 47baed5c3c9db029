// Everything that changes what the exporter knows and counts, as one type.
//
// A source produces inputs, the reader applies each of them by one call, `record` writes them, and a replay reads and
// applies the same ones. Pure values. A datagram is a view into the memory of its source.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "core/protocol/proc_snapshot.h"

namespace procevent {

// A datagram of the kernel's process-event connector, as received.
struct ConnectorDatagram {
  std::span<const std::byte> bytes;
  bool operator==(const ConnectorDatagram& other) const { return std::ranges::equal(bytes, other.bytes); }
};

// Result of reading one process from /proc, and the reason for the read.
struct ProcRead {
  enum class Kind : std::uint8_t {
    kBootstrap = 1,   // start-up scan of all processes
    kReconciliation,  // a later scan found an untracked process
    kFull,            // reread of a stale process
    kNameOnly,        // counts of the process wait for its name: only the name is used
    kGone,            // the process does not exist
    kHidden,          // the process cannot be read
  };
  Kind kind = Kind::kBootstrap;
  bool requested = false;  // a read request asked for this process
  ProcSnapshot snapshot;
  bool operator==(const ProcRead&) const = default;
};

// All events generated before `applied_until_ns` have been applied.
struct Watermark {
  std::uint64_t applied_until_ns = 0;
  bool operator==(const Watermark&) const = default;
};

// Events were lost without a sequence gap, or before the gap is visible: known process state is stale.
struct Invalidation {
  bool operator==(const Invalidation&) const = default;
};

// A source rejected a datagram.
struct RejectedDatagram {
  enum class Reason : std::uint8_t { kForeignSender = 1, kOversized };
  Reason reason = Reason::kForeignSender;
  bool operator==(const RejectedDatagram&) const = default;
};

// The reader took the next read request, and there was none.
struct NoProcRequest {
  bool operator==(const NoProcRequest&) const = default;
};

using Input = std::variant<ConnectorDatagram, ProcRead, Watermark, Invalidation, RejectedDatagram, NoProcRequest>;

// Moves the times in an input, for a replay at another time. Those of events are moved after they are decoded.
struct TimeShift {
  std::uint64_t by_ns;

  void operator()(ConnectorDatagram& /*datagram*/) const {}
  void operator()(NoProcRequest& /*no_request*/) const {}
  void operator()(Invalidation& /*invalidation*/) const {}
  void operator()(RejectedDatagram& /*rejected*/) const {}
  void operator()(Watermark& watermark) const { watermark.applied_until_ns += by_ns; }
  void operator()(ProcRead& read) const {
    read.snapshot.taken_ns += by_ns;
    read.snapshot.start_ns += read.snapshot.start_ns == 0 ? 0 : by_ns;
  }
};

}  // namespace procevent

// Attributes of processes: what the labels of a group are made of.
#pragma once

#include <cstdint>

#include "core/base/hash.h"
#include "core/base/intern_table.h"
#include "core/protocol/event.h"

namespace procevent {

// One combination of values. Processes with equal attributes share one entry of the table below.
struct Attributes {
  // Why there are no values.
  enum class Missing : std::uint8_t {
    kNone,
    kUntracked,     // the process is not in the process table
    kUnattributed,  // its program could not be named
  };
  Missing missing = Missing::kNone;
  CommName comm;

  [[nodiscard]] std::uint64_t hash(std::uint64_t seed) const { return HashBytes(comm.view(), seed); }
  bool operator==(const Attributes&) const = default;
};

using AttributesTable = InternTable<Attributes>;
using AttributesId = AttributesTable::Id;

}  // namespace procevent

// What the reader can be told. The configuration fills it in.
#pragma once

#include <chrono>

namespace procevent {

struct ReaderOptions {
  std::chrono::milliseconds drain_interval{10};     // between two drains while events flow
  std::chrono::milliseconds canary_interval{5000};  // between two proofs that the kernel still speaks to us
  bool operator==(const ReaderOptions&) const = default;
};

}  // namespace procevent

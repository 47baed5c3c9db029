#include "core/ledger/ledger_options.h"

namespace procevent {

std::vector<std::uint64_t> LifetimeBounds(const LedgerOptions& options) {
  std::vector<std::uint64_t> nanos;
  for (const std::chrono::nanoseconds bound : options.lifetime_bounds) {
    nanos.push_back(static_cast<std::uint64_t>(bound.count()));
  }
  return nanos;
}

}  // namespace procevent

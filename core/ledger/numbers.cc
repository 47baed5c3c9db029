#include "core/ledger/numbers.h"

#include <numeric>

namespace procevent {

std::uint64_t StreamNumbers::lost_in_all() const { return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0}); }

}  // namespace procevent

#include "core/ledger/statistics.h"

#include <vector>

namespace procevent {

ExitStatistics::ExitStatistics(const LedgerOptions& options)
    : exit_codes(options.exit_code_bounds), lifetimes(LifetimeBounds(options)) {}

void Statistics::Record(const CommName& name, CommRef& ref, const ProcessExit& end) {
  constexpr std::uint64_t kSignalsFrom = 128;
  CommRow& row = comms_.RowOf(name, ref);
  ++row.counts[ExitCountKindOf(end)];
  row.counts[CountKind::kWithoutExec] += end.without_exec ? 1 : 0;
  const std::uint64_t code = end.status.signal != 0 ? kSignalsFrom + end.status.signal : end.status.status;
  ends_.exit_codes.Add(code);
  if (row.exit_codes.has_bounds()) {
    row.exit_codes.Add(code);
  }
  if (end.status.signal != 0) {
    ++ends_.signals[end.status.signal];
  } else if (end.status.status != 0) {
    ++ends_.statuses[end.status.status];
  }
  if (!end.lifetime_known) {
    return;
  }
  ends_.lifetimes.Add(end.lifetime_ns);
  if (row.lifetimes.has_bounds()) {
    row.lifetimes.Add(end.lifetime_ns);
  }
}

}  // namespace procevent

#include "core/ledger/statistics.h"

#include <vector>

namespace procevent {

ExitStatistics::ExitStatistics(const LedgerOptions& options)
    : exit_codes(options.exit_code_bounds), lifetimes(LifetimeBounds(options)) {}

void Statistics::Record(const CommName& name, CommRef& ref, const ProcessExit& exit) {
  constexpr std::uint64_t kSignalBase = 128;
  CommRow& row = comms_.RowOf(name, ref);
  ++row.counts[ExitCountKindOf(exit)];
  row.counts[CountKind::kWithoutExec] += exit.without_exec ? 1 : 0;
  const std::uint64_t code = exit.status.signal != 0 ? kSignalBase + exit.status.signal : exit.status.status;
  exits_.exit_codes.Add(code);
  if (row.exit_codes.has_bounds()) {
    row.exit_codes.Add(code);
  }
  if (code != 0) {
    const bool killed = exit.status.signal != 0;
    comms_.CountExitReason(ref, {killed, killed ? exit.status.signal : exit.status.status}, exit.pid);
  }
  if (!exit.lifetime_known) {
    return;
  }
  exits_.lifetimes.Add(exit.lifetime_ns);
  if (row.lifetimes.has_bounds()) {
    row.lifetimes.Add(exit.lifetime_ns);
  }
}

}  // namespace procevent

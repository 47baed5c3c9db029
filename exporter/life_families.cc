#include "exporter/life_families.h"

#include <string>
#include <vector>

#include "exporter/signal_name.h"

namespace procevent {
namespace {

using prometheus::MetricFamily;

double AsCode(std::uint64_t code) { return AsValue(code); }

// A row for each command if the ledger keeps them so, for the reserved ones at zero too; one for all otherwise.
void AddHistograms(Families& families, const Metric& metric, const CommNumbers& comms, const Histogram& of_all,
                   Histogram CommRow::*of_comm, double (*unit)(std::uint64_t)) {
  std::vector<double> upper;
  for (const std::uint64_t bound : of_all.upper()) {
    upper.push_back(unit(bound));
  }
  MetricFamily family = Family(metric);
  const bool by_comm = (comms.rows.front().*of_comm).has_bounds();
  if (!by_comm) {
    AddHistogram(family, of_all.counts(), upper, unit(of_all.sum()));
  }
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    const Histogram& histogram = row.*of_comm;
    if (by_comm && row.taken && (id < kReservedComms || histogram.count() != 0)) {
      AddHistogram(family, histogram.counts(), upper, unit(histogram.sum()), {{"comm", row.label.view()}});
    }
  }
  families.push_back(std::move(family));
}

// Every signal that ends a process that does nothing about it is there from the start; others, and statuses, when seen.
void AddCodes(Families& families, const EndNumbers& ends) {
  MetricFamily statuses = Family(Catalogued("procevent_exit_statuses_total"));
  for (std::size_t code = 1; code < ends.statuses.size(); ++code) {
    if (ends.statuses.at(code) != 0) {
      Add(statuses, AsValue(ends.statuses.at(code)), {{"code", std::to_string(code)}});
    }
  }
  families.push_back(std::move(statuses));
  MetricFamily signals = Family(Catalogued("procevent_exit_signals_total"));
  for (unsigned signal = 1; signal < ends.signals.size(); ++signal) {
    if (EndsByDefault(signal) || ends.signals.at(signal) != 0) {
      Add(signals, AsValue(ends.signals.at(signal)), {{"signal", SignalName(signal)}});
    }
  }
  families.push_back(std::move(signals));
}

void AddPending(Families& families, const Tally& pending) {
  const auto sum = [&](std::initializer_list<Count> counts) {
    std::uint64_t events = 0;
    for (const Count count : counts) {
      events += pending[count];
    }
    return AsValue(events);
  };
  MetricFamily family = Family(Catalogued("procevent_pending"));
  Add(family, sum({Count::kForks, Count::kThreadsStarted}), {{"event", "fork"}});
  Add(family, sum({Count::kExecs}), {{"event", "exec"}});
  Add(family, sum({Count::kSucceeded, Count::kFailed, Count::kKilled, Count::kThreadsEnded}), {{"event", "exit"}});
  Add(family, sum({Count::kUidGainedRoot, Count::kUidLeftRoot, Count::kUidOther}), {{"event", "uid"}});
  Add(family, sum({Count::kGidGainedRoot, Count::kGidLeftRoot, Count::kGidOther}), {{"event", "gid"}});
  Add(family, sum({Count::kAttached, Count::kDetached}), {{"event", "ptrace"}});
  Add(family, sum({Count::kCoredumps}), {{"event", "coredump"}});
  families.push_back(std::move(family));
}

void AddPeaks(Families& families, const PeakRates& peaks) {
  MetricFamily family = Family(Catalogued("procevent_peak_events_per_second"));
  for (std::size_t kind = 0; kind < kPeakKinds.size(); ++kind) {
    for (std::size_t window = 0; window < kPeakWindowNames.size(); ++window) {
      Add(family, peaks.at(kind).at(window),
          {{"event", kEventNames.at(static_cast<std::size_t>(kPeakKinds.at(kind)))},
           {"window", kPeakWindowNames.at(window)}});
    }
  }
  families.push_back(std::move(family));
}

// Where a part of processes' lives is not heard of, nobody knows how many there are.
void AddPopulation(Families& families, const Numbers& numbers) {
  if (!numbers.followed) {
    return;
  }
  families.push_back(Family(Catalogued("procevent_processes"), AsValue(numbers.processes)));
  families.push_back(Family(Catalogued("procevent_threads"), AsValue(numbers.threads)));
  families.push_back(Family(Catalogued("procevent_processes_found_total"), kFoundNames, numbers.found));
  families.push_back(Family(Catalogued("procevent_processes_dropped_total"), kDroppedNames, numbers.dropped));
  families.push_back(Family(Catalogued("procevent_attributions_total"), kAttributionNames, numbers.attributions));
}

}  // namespace

void AddLifeFamilies(Families& families, const Numbers& numbers) {
  AddHistograms(families, Catalogued("procevent_exit_code"), numbers.comms, numbers.ends.exit_codes,
                &CommRow::exit_codes, AsCode);
  AddCodes(families, numbers.ends);
  AddHistograms(families, Catalogued("procevent_process_lifetime_seconds"), numbers.comms, numbers.ends.lifetimes,
                &CommRow::lifetimes, SecondsOf);
  AddPending(families, numbers.pending);
  AddPeaks(families, numbers.peaks);
  AddPopulation(families, numbers);
}

}  // namespace procevent

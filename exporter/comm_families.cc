#include "exporter/comm_families.h"

#include <array>
#include <string_view>

namespace procevent {
namespace {

using prometheus::MetricFamily;

// One row of a family for each count: all of a command at once where they are told together, each alone otherwise.
struct Column {
  Count count;
  std::string_view label = {};  // besides `comm`
  std::string_view value = {};
  std::string_view second_label = {};
  std::string_view second_value = {};
};

void AddRow(MetricFamily& family, const CommRow& row, const Column& column) {
  const std::string_view comm = row.label.view();
  const double value = AsValue(row.tally[column.count]);
  if (column.label.empty()) {
    Add(family, value, {{"comm", comm}});
  } else if (column.second_label.empty()) {
    Add(family, value, {{"comm", comm}, {column.label, column.value}});
  } else {
    Add(family, value, {{"comm", comm}, {column.label, column.value}, {column.second_label, column.second_value}});
  }
}

bool HasEnds(const Tally& tally) {
  return (tally[Count::kSucceeded] | tally[Count::kFailed] | tally[Count::kKilled] | tally[Count::kCoredumps]) != 0;
}

enum class Zeros : std::uint8_t {
  kNone,      // a row appears with its first count
  kWithEnds,  // with the first end of the command's processes, so that the first failure is an increase
};

// The reserved rows are always there.
void AddFamily(Families& families, const CommNumbers& comms, const Metric& metric, Zeros zeros,
               std::initializer_list<Column> columns) {
  MetricFamily family = Family(metric);
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    if (!row.taken) {
      continue;
    }
    const bool all = id < kReservedComms || (zeros == Zeros::kWithEnds && HasEnds(row.tally));
    for (const Column& column : columns) {
      if (all || row.tally[column.count] != 0) {
        AddRow(family, row, column);
      }
    }
  }
  families.push_back(std::move(family));
}

}  // namespace

void AddCommFamilies(Families& families, const Numbers& numbers) {
  const CommNumbers& comms = numbers.comms;
  AddFamily(families, comms, Catalogued("procevent_forks_total"), Zeros::kNone, {{Count::kForks}});
  AddFamily(families, comms, Catalogued("procevent_threads_started_total"), Zeros::kNone, {{Count::kThreadsStarted}});
  AddFamily(families, comms, Catalogued("procevent_threads_ended_total"), Zeros::kNone, {{Count::kThreadsEnded}});
  AddFamily(families, comms, Catalogued("procevent_execs_total"), Zeros::kNone, {{Count::kExecs}});
  AddFamily(families, comms, Catalogued("procevent_exits_total"), Zeros::kWithEnds,
            {{Count::kSucceeded, "outcome", "success"},
             {Count::kFailed, "outcome", "failure"},
             {Count::kKilled, "outcome", "signal"}});
  AddFamily(families, comms, Catalogued("procevent_coredumps_total"), Zeros::kWithEnds, {{Count::kCoredumps}});
  AddFamily(families, comms, Catalogued("procevent_unexeced_exits_total"), Zeros::kWithEnds, {{Count::kUnexeced}});
  AddFamily(families, comms, Catalogued("procevent_credential_changes_total"), Zeros::kNone,
            {{Count::kUidGainedRoot, "credential", "uid", "effect", "gained_root"},
             {Count::kUidLeftRoot, "credential", "uid", "effect", "left_root"},
             {Count::kUidOther, "credential", "uid", "effect", "other"},
             {Count::kGidGainedRoot, "credential", "gid", "effect", "gained_root"},
             {Count::kGidLeftRoot, "credential", "gid", "effect", "left_root"},
             {Count::kGidOther, "credential", "gid", "effect", "other"}});
  AddFamily(families, comms, Catalogued("procevent_ptrace_total"), Zeros::kNone,
            {{Count::kAttached, "action", "attach"}, {Count::kDetached, "action", "detach"}});
  families.push_back(Family(Catalogued("procevent_comms"), AsValue(comms.taken)));
  families.push_back(Family(Catalogued("procevent_comms_limit"), AsValue(comms.limit)));
  families.push_back(Family(Catalogued("procevent_comms_overflowed_total"), AsValue(comms.overflowed)));
}

}  // namespace procevent

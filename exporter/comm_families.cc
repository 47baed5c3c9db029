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

// The reserved rows are always there; where `zeros` is kNone only if they are not of some rare event.
void AddFamily(Families& families, const CommNumbers& comms, const MetricName& metric, Zeros zeros,
               std::initializer_list<Column> columns) {
  MetricFamily family = Counter(metric);
  for (std::size_t id = 0; id < comms.rows.size(); ++id) {
    const CommRow& row = comms.rows[id];
    if (!row.taken) {
      continue;
    }
    const bool all = (id < kReservedComms && columns.begin()->second_label.empty()) ||
                     (zeros == Zeros::kWithEnds && HasEnds(row.tally));
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
  AddFamily(families, comms, {"procevent_forks_total", "Processes forked, by the command that forked them."},
            Zeros::kNone, {{Count::kForks}});
  AddFamily(families, comms, {"procevent_threads_started_total", "Threads started, other than the first of a process."},
            Zeros::kNone, {{Count::kThreadsStarted}});
  AddFamily(families, comms, {"procevent_threads_ended_total", "Threads ended, other than the last of a process."},
            Zeros::kNone, {{Count::kThreadsEnded}});
  AddFamily(families, comms, {"procevent_execs_total", "Programs executed, by the name they got."}, Zeros::kNone,
            {{Count::kExecs}});
  AddFamily(families, comms, {"procevent_exits_total", "Processes ended: with status 0, with another, by a signal."},
            Zeros::kWithEnds,
            {{Count::kSucceeded, "outcome", "success"},
             {Count::kFailed, "outcome", "failure"},
             {Count::kKilled, "outcome", "signal"}});
  AddFamily(families, comms, {"procevent_coredumps_total", "Core dumps, whether or not a file was written."},
            Zeros::kWithEnds, {{Count::kCoredumps}});
  AddFamily(families, comms,
            {"procevent_unexeced_exits_total", "Processes that were seen to be forked and to end without an exec."},
            Zeros::kWithEnds, {{Count::kUnexeced}});
  AddFamily(families, comms,
            {"procevent_credential_changes_total", "Changes of the user or group that a process acts as."},
            Zeros::kNone,
            {{Count::kUidGainedRoot, "credential", "uid", "effect", "gained_root"},
             {Count::kUidLeftRoot, "credential", "uid", "effect", "left_root"},
             {Count::kUidOther, "credential", "uid", "effect", "other"},
             {Count::kGidGainedRoot, "credential", "gid", "effect", "gained_root"},
             {Count::kGidLeftRoot, "credential", "gid", "effect", "left_root"},
             {Count::kGidOther, "credential", "gid", "effect", "other"}});
  AddFamily(families, comms, {"procevent_ptrace_total", "Processes attached to or detached from, by the tracer."},
            Zeros::kNone, {{Count::kAttached, "action", "attach"}, {Count::kDetached, "action", "detach"}});
  families.push_back(Gauge({"procevent_comms", "Commands that have rows of their own."}, AsValue(comms.taken)));
  families.push_back(
      Gauge({"procevent_comms_limit", "Commands that may have rows of their own."}, AsValue(comms.limit)));
  families.push_back(
      Counter({"procevent_comms_overflowed_total", "How often a new command found no row and shares one with others."},
              AsValue(comms.overflowed)));
}

}  // namespace procevent

// The statistics: every sink that counts activities, and their copy in a snapshot.
//
// A sink has one or both of these functions. Each activity is passed to each function once, see Activity::Stage.
//   OnEvent(const Activity&)        when its event is applied; the attributes may be missing yet
//   OnAttributed(const Activity&)   when its attributes are known
// No sink knows another one. Owned by InputProcessor. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "core/statistics/counting_options.h"
#include "core/statistics/exit_histograms.h"
#include "core/statistics/exit_reason_table.h"
#include "core/statistics/group_table.h"
#include "core/statistics/peaks.h"
#include "core/statistics/totals.h"
#include "core/tracker/activity.h"

namespace procevent {

// Passes each activity to all sinks.
template <typename... Sinks>
class SinkList {
 public:
  explicit SinkList(Sinks&... sinks) : sinks_(sinks...) {}

  void OnActivity(const Activity& activity) {
    if (activity.stage != Activity::Stage::kResolved) {
      std::apply([&activity](Sinks&... sinks) { (PassEvent(sinks, activity), ...); }, sinks_);
    }
    if (activity.stage != Activity::Stage::kWaiting) {
      std::apply([&activity](Sinks&... sinks) { (PassAttributed(sinks, activity), ...); }, sinks_);
    }
  }

 private:
  template <typename Sink>
  static void PassEvent(Sink& sink, const Activity& activity) {
    if constexpr (requires { sink.OnEvent(activity); }) {
      sink.OnEvent(activity);
    }
  }
  template <typename Sink>
  static void PassAttributed(Sink& sink, const Activity& activity) {
    if constexpr (requires { sink.OnAttributed(activity); }) {
      sink.OnAttributed(activity);
    }
  }

  std::tuple<Sinks&...> sinks_;
};

// The numbers of all sinks. Copying into a snapshot that was made with the same options, or into a copy of one,
// allocates nothing, except once after the group table has grown.
struct StatisticsNumbers {
  explicit StatisticsNumbers(const CountingOptions& options)
      : groups(options), exit_reasons(kExitReasonsPerGroup * groups.rows.size()), exits(options) {}

  Counts totals;
  PeakRates peaks{};
  GroupTableState groups;
  ExitReasonList exit_reasons;
  ExitHistograms exits;
};

class Statistics {
 public:
  explicit Statistics(const CountingOptions& options) : groups_(options), exits_(options) {}
  Statistics(const Statistics&) = delete;  // sinks_ refers to the members
  Statistics& operator=(const Statistics&) = delete;
  ~Statistics() = default;

  void OnActivity(const Activity& activity) { sinks_.OnActivity(activity); }
  // Expires peaks and idle groups. To be called regularly, also without activities.
  void Advance(std::uint64_t now_ns) {
    peaks_.Advance(now_ns);
    groups_.Advance(now_ns);
  }
  void SetNameGroups(NameGroups groups) { groups_.SetNameGroups(std::move(groups)); }
  // Raises the limit of the group table. A smaller one is ignored.
  void GrowGroups(std::size_t limit) { groups_.Grow(limit); }

  void CopyTo(StatisticsNumbers& snapshot) const {
    snapshot.totals = totals_.counts();
    snapshot.peaks = peaks_.Rates();
    snapshot.groups = groups_.state();
    snapshot.exit_reasons.Grow(kExitReasonsPerGroup * snapshot.groups.rows.size());
    snapshot.exit_reasons.Assign(groups_.exit_reasons());
    snapshot.exits = exits_;
  }

 private:
  Totals totals_;
  Peaks peaks_;
  GroupTable groups_;
  ExitHistograms exits_;
  SinkList<Totals, Peaks, GroupTable, ExitHistograms> sinks_{totals_, peaks_, groups_, exits_};
};

}  // namespace procevent

#include "exporter/snapshot_families.h"

#include <algorithm>
#include <array>

#include "exporter/comm_families.h"
#include "exporter/life_families.h"

namespace procevent {
namespace {

using prometheus::MetricFamily;

constexpr std::string_view kSocket = "connector";

MetricFamily ListenerUp(bool up) { return Family(Catalogued("procevent_listener_up"), up ? 1 : 0); }

// A narrowed mask hides losses: no row is better than a false zero.
void AddLosses(Families& families, const Snapshot& snapshot) {
  if (snapshot.loss_exact) {
    auto lost = Family(Catalogued("procevent_events_lost_total"));
    lost.metric.reserve(snapshot.numbers.lost.size());
    for (std::size_t cpu = 0; cpu < snapshot.numbers.lost.size(); ++cpu) {
      Add(lost, AsValue(snapshot.numbers.lost[cpu]), {{"cpu", std::to_string(cpu)}});
    }
    families.push_back(std::move(lost));
  }
  families.push_back(Family(Catalogued("procevent_loss_exact"), snapshot.loss_exact ? 1 : 0));
  auto drops = Family(Catalogued("procevent_socket_drops_total"));
  Add(drops, AsValue(snapshot.socket_drops), {{"socket", kSocket}});
  families.push_back(std::move(drops));
}

void AddListener(Families& families, const Snapshot& snapshot) {
  families.push_back(Family(Catalogued("procevent_listener_restarts_total"), kRestartReasonNames, snapshot.restarts));
  families.push_back(Family(Catalogued("procevent_blind_seconds_total"), SecondsOf(snapshot.blind_ns)));
}

// Both are left out where forks cannot be counted: with a narrowed mask, or without /proc/stat.
void AddForks(Families& families, const Snapshot& snapshot, bool fresh) {
  if (!snapshot.loss_exact || !snapshot.kernel_forks) {
    return;
  }
  families.push_back(Family(Catalogued("procevent_forks_unseen_total"), AsValue(snapshot.forks_unseen)));
  if (fresh) {
    families.push_back(Family(Catalogued("procevent_kernel_forks_total"), AsValue(*snapshot.kernel_forks)));
  }
}

void AddQueue(Families& families, const Snapshot& snapshot) {
  if (snapshot.queue_limit_bytes == 0) {
    return;  // there is no socket
  }
  auto peak = Family(Catalogued("procevent_receive_queue_peak_bytes"));
  Add(peak, AsValue(snapshot.queue_peak_bytes), {{"socket", kSocket}});
  families.push_back(std::move(peak));
  auto limit = Family(Catalogued("procevent_receive_queue_limit_bytes"));
  Add(limit, AsValue(snapshot.queue_limit_bytes), {{"socket", kSocket}});
  families.push_back(std::move(limit));
}

MetricFamily Delay(const DelayHistogram& delay) {
  std::array<double, DelayHistogram::kBounds> upper{};
  std::ranges::transform(DelayHistogram::kUpperNanos, upper.begin(), SecondsOf);
  auto family = Family(Catalogued("procevent_event_delay_seconds"));
  AddHistogram(family, delay.counts(), upper, SecondsOf(delay.sum_nanos()));
  return family;
}

}  // namespace

Families SnapshotFamilies(const Snapshot& snapshot, Exchange::Age age) {
  Families families;
  if (age == Exchange::Age::kNone) {
    families.push_back(ListenerUp(false));
    return families;
  }
  const bool fresh = age == Exchange::Age::kFresh;
  families.push_back(Family(Catalogued("procevent_events_total"), kEventNames, snapshot.numbers.events));
  AddLosses(families, snapshot);
  families.push_back(
      Family(Catalogued("procevent_messages_rejected_total"), kRejectionNames, snapshot.numbers.rejected));
  families.push_back(ListenerUp(fresh && snapshot.listening));
  families.push_back(Family(Catalogued("procevent_replayed"), snapshot.replayed ? 1 : 0));
  AddListener(families, snapshot);
  AddForks(families, snapshot, fresh);
  AddQueue(families, snapshot);
  families.push_back(Delay(snapshot.numbers.delay));
  AddCommFamilies(families, snapshot.numbers);
  AddLifeFamilies(families, snapshot.numbers);
  families.push_back(Family(Catalogued("procevent_reader_cpu_seconds_total"), SecondsOf(snapshot.reader_cpu_ns)));
  return families;
}

}  // namespace procevent

#include "exporter/snapshot_families.h"

#include <algorithm>
#include <array>

#include "exporter/comm_families.h"
#include "exporter/life_families.h"

namespace procevent {
namespace {

using prometheus::MetricFamily;

constexpr std::string_view kSocket = "connector";

MetricFamily ListenerUp(bool up) {
  return Gauge({"procevent_listener_up", "1 while the kernel's process events are subscribed to and arrive."},
               up ? 1 : 0);
}

// A narrowed mask hides losses: no row is better than a false zero.
void AddLosses(Families& families, const Snapshot& snapshot) {
  if (snapshot.loss_exact) {
    auto lost = Counter({"procevent_events_lost_total", "Events that the kernel numbered and we never received."});
    lost.metric.reserve(snapshot.numbers.lost.size());
    for (std::size_t cpu = 0; cpu < snapshot.numbers.lost.size(); ++cpu) {
      Add(lost, AsValue(snapshot.numbers.lost[cpu]), {{"cpu", std::to_string(cpu)}});
    }
    families.push_back(std::move(lost));
  }
  families.push_back(Gauge({"procevent_loss_exact",
                            "1 if procevent_events_lost_total knows every loss; 0 with a "
                            "narrowed event mask, which leaves only the socket's drops."},
                           snapshot.loss_exact ? 1 : 0));
  auto drops = Counter({"procevent_socket_drops_total",
                        "Messages dropped at a full receive queue, as the kernel "
                        "counts them."});
  Add(drops, AsValue(snapshot.socket_drops), {{"socket", kSocket}});
  families.push_back(std::move(drops));
}

void AddListener(Families& families, const Snapshot& snapshot) {
  families.push_back(Counters({"procevent_listener_restarts_total", "Fresh sockets opened since start, by reason."},
                              "reason", kRestartReasonNames, snapshot.restarts));
  families.push_back(
      Counter({"procevent_blind_seconds_total", "Time without a working listener."}, SecondsOf(snapshot.blind_ns)));
}

// Both are left out where forks cannot be counted: with a narrowed mask, or without /proc/stat.
void AddForks(Families& families, const Snapshot& snapshot, bool fresh) {
  if (!snapshot.loss_exact || !snapshot.kernel_forks) {
    return;
  }
  families.push_back(Counter({"procevent_forks_unseen_total",
                              "Forks that the kernel counted while nobody listened, or in a silence too short to be "
                              "noticed otherwise; at most: a fork in the instant of reading /proc/stat may be counted "
                              "here, too."},
                             AsValue(snapshot.forks_unseen)));
  if (fresh) {
    families.push_back(Counter({"procevent_kernel_forks_total",
                                "Forks that the kernel counted since start "
                                "(/proc/stat): the audit of fork events."},
                               AsValue(*snapshot.kernel_forks)));
  }
}

void AddQueue(Families& families, const Snapshot& snapshot) {
  if (snapshot.queue_limit_bytes == 0) {
    return;  // there is no socket
  }
  auto peak = Gauge({"procevent_receive_queue_peak_bytes", "The fullest that the socket was in the last minute."});
  Add(peak, AsValue(snapshot.queue_peak_bytes), {{"socket", kSocket}});
  families.push_back(std::move(peak));
  auto limit = Gauge({"procevent_receive_queue_limit_bytes", "Size of the receive queue, as the kernel charges it."});
  Add(limit, AsValue(snapshot.queue_limit_bytes), {{"socket", kSocket}});
  families.push_back(std::move(limit));
}

MetricFamily Delay(const DelayHistogram& delay) {
  std::array<double, DelayHistogram::kBounds> upper{};
  std::ranges::transform(DelayHistogram::kUpperNanos, upper.begin(), SecondsOf);
  auto family = HistogramFamily({"procevent_event_delay_seconds",
                                 "Time from the kernel's timestamp of an event to its booking; every event but ACKs."});
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
  families.push_back(Counters({"procevent_events_total", "Events received from the kernel, by type."}, "event",
                              kEventNames, snapshot.numbers.events));
  AddLosses(families, snapshot);
  families.push_back(Counters({"procevent_messages_rejected_total", "Messages that were not booked, by reason."},
                              "reason", kRejectionNames, snapshot.numbers.rejected));
  families.push_back(ListenerUp(fresh && snapshot.listening));
  AddListener(families, snapshot);
  AddForks(families, snapshot, fresh);
  AddQueue(families, snapshot);
  families.push_back(Delay(snapshot.numbers.delay));
  AddCommFamilies(families, snapshot.numbers);
  AddLifeFamilies(families, snapshot.numbers);
  families.push_back(Counter({"procevent_reader_cpu_seconds_total", "CPU time of the reader thread."},
                             SecondsOf(snapshot.reader_cpu_ns)));
  return families;
}

}  // namespace procevent

// Makes random groups that come, go, return and act, and keeps every exit of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/base/system.h"
#include "core/reader/numbers.h"

namespace procevent {

inline constexpr std::size_t kGroups = 4;      // besides the reserved ones
inline constexpr std::uint8_t kUnnamed = 200;  // reasons from here on have no pair: the table of pairs is full
inline const CountingOptions kOptions{.group_limit = kGroups, .exit_code_by_group = true, .lifetime_by_group = true};
inline constexpr std::array kOtherKinds{CountKind::kForks, CountKind::kExecs, CountKind::kUidOther,
                                        CountKind::kAttached};

struct Exit {
  ExitReason reason;  // number 0: success
  bool without_exec = false;
  std::uint64_t lifetime_ns = 0;
};

// All that a group of a row has done.
struct Group {
  std::uint32_t serial = 0;
  std::map<CountKind, std::uint64_t> others = {};
  std::vector<Exit> exits = {};
  std::uint64_t coredumps = 0;
};

inline CountKind OutcomeOf(const Exit& exit) {
  return exit.reason.number == 0 ? CountKind::kSucceeded : exit.reason.killed ? CountKind::kKilled : CountKind::kFailed;
}
inline bool IsNamed(const Exit& exit) { return exit.reason.number != 0 && exit.reason.number < kUnnamed; }
inline std::uint64_t CodeOf(const Exit& exit) { return exit.reason.number + (exit.reason.killed ? 128U : 0U); }

inline Counts CountsOf(const Group& group) {
  Counts counts;
  for (const auto& [kind, count] : group.others) {
    counts[kind] = count;
  }
  counts[CountKind::kCoredumps] = group.coredumps;
  for (const Exit& exit : group.exits) {
    ++counts[OutcomeOf(exit)];
    counts[CountKind::kWithoutExec] += exit.without_exec ? 1 : 0;
  }
  return counts;
}

inline Histogram ExitCodesOf(const Group& group) {
  Histogram histogram(kOptions.exit_code_bounds);
  for (const Exit& exit : group.exits) {
    histogram.Add(CodeOf(exit));
  }
  return histogram;
}

inline Histogram LifetimesOf(const Group& group) {
  Histogram histogram(LifetimeBounds(kOptions));
  for (const Exit& exit : group.exits) {
    histogram.Add(exit.lifetime_ns);
  }
  return histogram;
}

inline std::vector<ExitReasonCount> PairsOf(const std::vector<Group>& groups) {
  std::vector<ExitReasonCount> pairs;
  for (std::size_t id = 0; id < groups.size(); ++id) {
    for (const Exit& exit : groups[id].exits) {
      if (!IsNamed(exit)) {
        continue;
      }
      auto pair = std::ranges::find_if(
          pairs, [&](const ExitReasonCount& known) { return known.group == id && known.reason == exit.reason; });
      if (pair == pairs.end()) {
        pair = pairs.insert(pair, {.group = static_cast<std::uint16_t>(id), .reason = exit.reason});
      }
      ++pair->count;
      pair->without_exec += exit.without_exec ? 1 : 0;
    }
  }
  return pairs;
}

// Random groups that come, go, return and act.
class RandomGroups {
 public:
  explicit RandomGroups(unsigned seed) : random_(seed), groups_(kReservedGroups + kGroups) {
    for (Group& group : groups_) {
      group.serial = ++serials_;
    }
  }

  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] const Counts& retired() const { return retired_; }
  [[nodiscard]] unsigned Below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  void Act() {
    const std::size_t id = Below(static_cast<unsigned>(groups_.size()));
    Group& group = groups_[id];
    switch (Below(12)) {
      case 0:
        Retire(id);
        return;
      case 1:
      case 2:
      case 3:
        group.others[kOtherKinds.at(Below(kOtherKinds.size()))] += 1 + Below(3);
        return;
      case 4:
        ++group.coredumps;
        return;
      default:
        constexpr std::array<std::uint8_t, 5> kNumbers{0, 1, 2, kUnnamed, kUnnamed + 1};
        const std::uint8_t number = kNumbers.at(Below(kNumbers.size()));
        group.exits.push_back({.reason = {.killed = number != 0 && Below(2) == 0, .number = number},
                               .without_exec = Below(2) == 0,
                               .lifetime_ns = Below(2) * kNanosPerSecond});
    }
  }

 private:
  void Retire(std::size_t id) {
    if (id >= kReservedGroups) {
      retired_ += CountsOf(groups_[id]);
      groups_[id] = {.serial = ++serials_};
    }
  }

  std::mt19937 random_;
  std::uint32_t serials_ = 0;
  std::vector<Group> groups_;
  Counts retired_;
};

inline Numbers NumbersOf(const RandomGroups& random) {
  Numbers numbers(1, kOptions);
  for (std::size_t id = 0; id < random.groups().size(); ++id) {
    GroupRow& row = numbers.groups.rows.at(id);
    row.serial = random.groups()[id].serial;
    row.counts = CountsOf(random.groups()[id]);
    row.exit_codes = ExitCodesOf(random.groups()[id]);
    row.lifetimes = LifetimesOf(random.groups()[id]);
    if (id >= kReservedGroups) {
      row.labels[0] = LabelValue("group " + std::to_string(row.serial));
    }
  }
  numbers.exit_reasons.Assign(PairsOf(random.groups()));
  numbers.groups.retired = random.retired();
  return numbers;
}

}  // namespace procevent

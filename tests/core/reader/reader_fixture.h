// A fixture that runs a Reader on a fake source and a fake /proc.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/reader/reader.h"
#include "fake_source.h"

namespace procevent {

// A process forks another one. Both have an unknown name.
inline constexpr ForkBody kFork{{1, 1}, {2, 2}};

inline std::uint64_t ForksBy(const Snapshot& snapshot, std::string_view name) {
  const auto& rows = snapshot.numbers.groups.rows;
  const auto row =
      std::ranges::find_if(rows, [&](const GroupRow& it) { return it.in_use() && it.labels[0].view() == name; });
  return row == rows.end() ? 0 : row->counts[CountKind::kForks];
}

// A /proc directory of the test, without any processes.
class FakeProc {
 public:
  FakeProc() {
    std::string path = testing::TempDir() + "procevent_proc_XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) {
      path_ = path;
    }
    std::ofstream(path_ + "/stat") << "processes 1000000\n";
  }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;
  ~FakeProc() { std::filesystem::remove_all(path_); }
  // Overwrites in place, so that a concurrent reader always finds a number.
  void SetForks(std::uint64_t forks) const {
    std::fstream(path_ + "/stat", std::ios::in | std::ios::out) << "processes " << 1000000 + forks << "\n";
  }
  [[nodiscard]] ProcFs get() const { return ProcFs(path_); }

 private:
  std::string path_;
};

class ReaderTest : public testing::Test {
 protected:
  void Start(EventCoverage coverage = EventCoverage::kAll, const CountingOptions& counting = {}) {
    reader_ = std::make_unique<Reader>(MakeFakeSources(kernel_),
                                       ReaderOptions{.drain_interval = std::chrono::milliseconds(1),
                                                     .canary_interval = std::chrono::milliseconds(100)},
                                       2, coverage, counting, proc_.get());
    reader_->Start();
  }

  Snapshot TakeSnapshot() {
    Snapshot snapshot(2);
    EXPECT_EQ(reader_->exchange().CopySnapshot(snapshot, std::chrono::seconds(60)),
              SnapshotExchange::Freshness::kFresh);
    return snapshot;
  }

  // Scrapes until `condition` holds. The timeout is longer than any machine needs.
  template <typename Predicate>
  Snapshot TakeSnapshotUntil(Predicate condition) {
    Snapshot snapshot(2);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    do {
      snapshot = TakeSnapshot();
    } while (!condition(snapshot) && std::chrono::steady_clock::now() < deadline);
    EXPECT_TRUE(condition(snapshot));
    return snapshot;
  }

  // The first notice of this kind, or nothing after the timeout.
  std::optional<Notice> AwaitNotice(Notice::Kind kind) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    Notice notice;
    while (std::chrono::steady_clock::now() < deadline) {
      while (reader_->notices().TryPop(notice)) {
        if (notice.kind == kind) {
          return notice;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::nullopt;
  }

  static std::uint64_t Restarts(const Snapshot& snapshot, RestartReason reason) {
    return snapshot.restarts.at(static_cast<std::size_t>(reason));
  }
  static std::uint64_t Rejected(const Snapshot& snapshot, Rejection reason) {
    return snapshot.numbers.rejected.at(static_cast<std::size_t>(reason));
  }

  FakeKernel kernel_;
  FakeProc proc_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace procevent

// How a scrape gets the reader's numbers without a lock between them: two snapshots and one atomic state. The reader
// fills one snapshot while scrapers may read the other; scrapers queue among themselves and share an answer that was
// taken after they asked. The reader's calls never wait.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "core/base/result.h"
#include "core/base/wake.h"
#include "core/reader/snapshot.h"

namespace procevent {

// The one atomic. Every step is one compare-and-swap or store; each has one caller and one state it may start from.
class ExchangeState {
 public:
  enum class Stage : std::uint8_t { kIdle, kAsked, kFilling, kFilled };

  // Scrapers, one at a time:
  [[nodiscard]] bool Ask();       // idle -> asked
  [[nodiscard]] bool TakeBack();  // asked -> idle; false if the reader began
  [[nodiscard]] bool Collect();   // filled -> idle; false if there is no answer yet
  // The reader:
  [[nodiscard]] bool Asked() const;
  [[nodiscard]] bool Begin();  // asked -> filling; false if it was taken back
  void Finish();               // filling -> filled

  [[nodiscard]] Stage stage() const { return stage_.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] bool Step(Stage from, Stage to);
  std::atomic<Stage> stage_{Stage::kIdle};
};

class Exchange {
 public:
  enum class Age : std::uint8_t {
    kFresh,  // taken after the scrape asked
    kStale,  // the last whole one: the reader did not answer in time
    kNone,   // there is none: the reader has never answered
  };

  // `blank` is as large as all that will be filled in. Throws std::runtime_error if there is no eventfd to be had.
  explicit Exchange(const Snapshot& blank);

  // Any scraping thread, any number at once: copies a snapshot to `out`.
  Age Take(Snapshot& out, std::chrono::milliseconds timeout);
  // The same, for those who need little of it: `look` sees it in its place, if there is one, and must be brief.
  using Glance = std::function<void(const Snapshot&, Age)>;
  Age Look(std::chrono::milliseconds timeout, const Glance& look);

  // The reader only. asked_fd() becomes readable when somebody asks.
  [[nodiscard]] int asked_fd() const { return asked_.fd(); }
  void Heard() const { asked_.Quiet(); }
  [[nodiscard]] bool Asked() const { return state_.Asked(); }
  // The snapshot to fill, or nullptr if nobody asks (any more). After filling it: Finish.
  [[nodiscard]] Snapshot* Begin();
  void Finish();

 private:
  void AskAndWait(std::unique_lock<std::mutex>& lock, std::uint64_t arrived,
                  std::chrono::steady_clock::time_point deadline);
  void CollectAnswer();
  [[nodiscard]] const Snapshot& whole() const { return snapshots_[whole_]; }

  ExchangeState state_;
  Wake asked_;
  Wake answered_;
  std::mutex scrapers_;                   // what follows is the scrapers', and so is their side of state_
  std::condition_variable scraper_done_;  // one that asked the reader has its answer, or gave up
  bool asking_ = false;
  std::array<Snapshot, 2> snapshots_;
  unsigned whole_ = 0;  // the last whole snapshot; between Begin and Finish the other is the reader's
};

}  // namespace procevent

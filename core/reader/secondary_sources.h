// Drains the sources besides the connector. Their inputs explain events of the connector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/reader/input_recorder.h"
#include "core/reader/notice_queue.h"
#include "core/sources/source.h"

namespace procevent {

// A loss of a secondary source costs an explanation, never a count: it is counted, and the process table stays valid. A
// source that fails is closed, and the reader goes on without it. The reader owns it; everything it refers to must
// outlive it.
class SecondarySources {
 public:
  SecondarySources(std::vector<std::unique_ptr<Source>> sources, InputRecorder& inputs, NoticeQueue& notices);

  // Receives and applies what waits, until the deadline and at most 16 batches of each source. To be called between the
  // receipt of the connector's batch and its application: an explanation is queued before the event that it explains.
  // Returns the number of messages.
  std::size_t Drain(std::uint64_t deadline_ns) { return sources_.empty() ? 0 : DrainAll(deadline_ns); }

  // Appends the descriptors that become readable when messages are waiting.
  void AppendFds(std::vector<int>& fds) const;
  // Messages that all of them have lost, as of the last drain.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  void Close();

 private:
  struct Entry {
    std::unique_ptr<Source> source;
    std::uint64_t drops = 0;  // as last read
  };
  std::size_t DrainAll(std::uint64_t deadline_ns);
  std::size_t DrainOne(Entry& entry, std::uint64_t deadline_ns);
  void CountDrops(Entry& entry);

  std::vector<Entry> sources_;
  InputRecorder& inputs_;
  NoticeQueue& notices_;
  std::uint64_t lost_ = 0;
};

}  // namespace procevent

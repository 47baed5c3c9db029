#include "core/reader/secondary_sources.h"

#include <utility>

#include "core/base/system.h"

namespace procevent {
namespace {

// Of one source before each batch of events. The loss of a secondary input costs a name, that of an event a count: a
// source that is never empty must not delay the events.
constexpr int kMaxBatches = 16;

}  // namespace

SecondarySources::SecondarySources(std::vector<std::unique_ptr<Source>> sources, InputRecorder& inputs,
                                   NoticeQueue& notices)
    : inputs_(inputs), notices_(notices) {
  for (std::unique_ptr<Source>& source : sources) {
    sources_.push_back({.source = std::move(source)});
  }
}

std::size_t SecondarySources::DrainAll(std::uint64_t deadline_ns) {
  std::size_t messages = 0;
  for (Entry& entry : sources_) {
    messages += DrainOne(entry, deadline_ns);
  }
  std::erase_if(sources_, [](const Entry& entry) { return entry.source == nullptr; });
  return messages;
}

std::size_t SecondarySources::DrainOne(Entry& entry, std::uint64_t deadline_ns) {
  Source& source = *entry.source;
  std::size_t messages = 0;
  std::uint64_t now = 0;
  bool emptied = false;
  int batches = 0;
  do {
    const auto received = source.Receive();
    if (!received) {
      const StaticError& error = received.error();
      notices_.Post({.kind = Notice::Kind::kSourceFailed, .error = error});
      CountDrops(entry);
      source.Close();
      entry.source.reset();
      return messages;
    }
    now = MonotonicNanos();
    for (const Input& input : source.inputs()) {
      inputs_.Apply(input, now);
    }
    messages += received.value().messages;
    emptied = received.value().emptied;
  } while (!emptied && ++batches < kMaxBatches && now < deadline_ns);
  CountDrops(entry);
  return messages;
}

void SecondarySources::CountDrops(Entry& entry) {
  const std::uint64_t drops = entry.source->Queue().drops;
  lost_ += drops - std::exchange(entry.drops, drops);
}

void SecondarySources::AppendFds(std::vector<int>& fds) const {
  for (const Entry& entry : sources_) {
    fds.push_back(entry.source->fd());
  }
}

void SecondarySources::Close() {
  for (const Entry& entry : sources_) {
    if (entry.source != nullptr) {  // a drain that threw leaves a failed source
      entry.source->Close();
    }
  }
}

}  // namespace procevent

// Tests that decoding and counting allocate nothing. This program replaces operator new and counts the calls.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/wire.h"
#include "core/reader/input_processor.h"
#include "tests/core/protocol/test_events.h"
#include "tests/core/statistics/group_rows.h"

namespace {

std::atomic<std::size_t>& Allocations() {
  static std::atomic<std::size_t> allocations{0};
  return allocations;
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): implements operator new
void* Allocate(std::size_t size) noexcept {
  Allocations().fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size == 0 ? 1 : size);
}

void* Allocate(std::size_t size, std::align_val_t alignment) noexcept {
  Allocations().fetch_add(1, std::memory_order_relaxed);
  const auto align = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(align, (size + align - 1) / align * align);
}

void Free(void* memory) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

void* OrThrow(void* memory) {
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

// All variants are replaced: a sanitizer supplies its own for those that are missing.
void* operator new(std::size_t size) { return OrThrow(Allocate(size)); }
void* operator new[](std::size_t size) { return OrThrow(Allocate(size)); }
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return Allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) { return OrThrow(Allocate(size, alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return OrThrow(Allocate(size, alignment)); }
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { Free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { Free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { Free(memory); }
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { Free(memory); }
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept { Free(memory); }
void operator delete[](void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept { Free(memory); }

namespace procevent {
namespace {

TEST(NoAllocationTest, CountsAllocations) {
  const std::size_t before = Allocations();
  ::operator delete(::operator new(8));
  EXPECT_EQ(Allocations(), before + 1);
}

// Datagrams of every kind, outcome and length.
std::vector<Bytes> Datagrams() {
  std::vector<Bytes> datagrams;
  for (const NamedEvent& row : OneOfEachKind()) {
    Bytes datagram = EncodeEvent(row.event);
    datagrams.push_back(Concatenate({EncodeNetlink(wire::kNoop, {}), EncodeError(1), datagram, datagram}));
    while (!datagram.empty()) {
      datagrams.push_back(datagram);
      datagram.pop_back();
    }
  }
  for (std::uint16_t type = 0; type < 20; ++type) {
    datagrams.push_back(EncodeNetlink(type, {}));
  }
  return datagrams;
}

TEST(NoAllocationTest, AllocatesNothingToDecodeAndCount) {
  const std::vector<Bytes> datagrams = Datagrams();
  InputProcessor processor(4, EventCoverage::kAll);
  std::size_t messages = 0;
  const std::size_t before = Allocations();
  for (const Bytes& datagram : datagrams) {
    ForEachMessage(datagram, [&](const Message& message) {
      processor.ApplyMessage(message, 1);
      ++messages;
    });
  }
  EXPECT_EQ(Allocations(), before);
  EXPECT_GT(messages, datagrams.size());
}

Event ExitEvent(std::int32_t pid, std::uint32_t status, std::uint64_t when_ns) {
  Event event;
  event.timestamp_ns = when_ns;
  event.sequence = static_cast<std::uint32_t>(pid);
  ExitBody body;
  body.task = {pid, pid};
  body.wait_status = status << 8U;
  event.body = body;
  return event;
}

// The exchange makes its snapshots as copies of one that is empty.
TEST(NoAllocationTest, AllocatesNothingToCountFailuresAndCopyThemToASnapshot) {
  const Numbers blank(64);
  Numbers copy = blank;
  InputProcessor processor(64, EventCoverage::kAll);
  const std::size_t before = Allocations();
  for (std::int32_t pid = 1; pid < 256; ++pid) {
    processor.ApplyMessage(
        {.outcome = DecodeOutcome::kEvent, .event = ExitEvent(pid, static_cast<std::uint32_t>(pid), 1)}, 1);
  }
  processor.Advance(std::uint64_t{1} << 60U);
  processor.CopyTo(copy);
  EXPECT_EQ(Allocations(), before);
  EXPECT_EQ(copy.exit_reasons.pairs().size(), kMaxExitReasonsOfGroup);
}

// Every table of names is bounded: names that ended, were displaced or retired make room for new ones.
TEST(NoAllocationTest, AllocatesNothingForMoreNamesOnceTheTablesAreFull) {
  CountingOptions options = Options(20, std::chrono::minutes(1));
  options.name_groups.clear();  // the regular expressions allocate
  GroupTableDriver table(options);
  std::uint64_t now_ns = 0;
  const auto flood = [&](int names) {
    for (int i = 0; i < names; ++i) {
      now_ns += kSecond / 4;
      table.Advance(now_ns);
      const std::string name = std::to_string(now_ns / kSecond * 100 + now_ns % kSecond / 10'000'000);  // no allocation
      const GroupTableDriver::Process process(table, name);
      process.Fork(i % 500 == 0 ? 100'000 : 2);
      process.Fork();
    }
  };
  flood(20'000);
  const std::uint64_t displaced = table.state().displaced;
  const std::size_t before = Allocations();
  flood(20'000);
  EXPECT_EQ(Allocations(), before);
  EXPECT_GT(table.state().displaced, displaced);
}

}  // namespace
}  // namespace procevent

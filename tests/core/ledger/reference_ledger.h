// The ledger once more, the slow and obvious way: one event at a time, maps and strings, nothing bounded that need not
// be. The ledger must agree with it on every number. For ledger_reference_test.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/protocol/event.h"
#include "core/protocol/proc_snapshot.h"
#include "tests/core/ledger/reference_resolver.h"
#include "tests/core/ledger/reference_statistics.h"

namespace procevent::reference {

class Ledger {
 public:
  Ledger(unsigned cpus, const LedgerOptions& options);

  void Book(const Event& event, std::uint64_t now_ns);
  void Advance(std::uint64_t now_ns);
  void Invalidate() { people.Invalidate(); }

  struct Question {
    std::int32_t tgid = 0;
    bool whole = false;
    bool operator==(const Question&) const = default;
  };
  std::optional<Question> NextQuestion();
  void Saw(const ProcSnapshot& sighting, bool whole);
  void SawGone(std::int32_t tgid, std::uint64_t taken_ns);
  void SawNothing(std::int32_t tgid);
  [[nodiscard]] bool Unknown(std::int32_t tgid) const;
  void Found(const ProcSnapshot& sighting, std::string_view how);
  void Settle(std::uint64_t heard_ns);
  [[nodiscard]] std::vector<std::int32_t> InDoubt() const;

  [[nodiscard]] std::uint64_t Threads() const;

  ReferenceResolver people;
  std::map<std::string_view, std::uint64_t> events;
  std::map<std::uint32_t, std::uint64_t> lost;
  std::uint64_t repeated = 0;
  std::uint64_t delays = 0;
  std::uint64_t delay_sum_ns = 0;
  std::map<std::string_view, std::uint64_t> found;
  std::map<std::string_view, std::uint64_t> dropped;
  Rates rates;

 private:
  struct Answer {
    std::uint64_t order = 0;  // of the row
    std::uint64_t losses = 0;
    bool gone = false;
    ProcSnapshot sighting;
  };
  void On(const Event& event, const ForkBody& body);
  void On(const Event& event, const ExecBody& body);
  void On(const Event& event, const ExitBody& body);
  void On(const Event& event, const UidBody& body);
  void On(const Event& event, const GidBody& body);
  void On(const Event& event, const PtraceBody& body);
  void On(const Event& event, const CommBody& body);
  void On(const Event& event, const CoredumpBody& body);
  template <typename Other>
  void On(const Event& /*event*/, const Other& /*body*/) {}

  struct Credential {
    std::optional<std::uint32_t> Process::*known;
    CountKind gained, left, other;
  };
  void OnCredential(const Event& event, const Task& task, std::uint32_t effective, const Credential& credential);

  [[nodiscard]] bool Numbered(const Event& event);
  void ForkProcess(const Event& event, const ForkBody& body);
  void ThreadsChanged(Process& row, std::uint64_t when_ns);
  void MakeRoom(std::size_t rows);
  bool Known(std::int32_t tgid);
  bool KnownOrFound(std::int32_t tgid);
  Process& Begin(std::int32_t tgid);
  void Drop(std::int32_t tgid, std::string_view why);
  void Believe(const Answer& answer);

  std::size_t limit_;
  std::uint64_t begun_ = 0;
  std::map<std::uint32_t, std::uint32_t> last_sequence_;
  unsigned cpus_;
  std::list<Answer> answers_;
};

}  // namespace procevent::reference

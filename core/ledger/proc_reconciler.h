// What the ledger asks of /proc, and when it believes the answer: an answer shows one moment, and the events up to that
// moment, and a little beyond, may still be on their way. So an answer waits until those have been read; then it stands
// if none of them was about the same process. The reader's surveyor asks and answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/ledger/name_resolver.h"
#include "core/ledger/process_rows.h"
#include "core/ledger/process_tracker.h"
#include "core/protocol/proc_snapshot.h"

namespace procevent {

class Sightings {
 public:
  Sightings(ProcessRows& table, Names& names, Census& census);

  struct Question {
    std::int32_t tgid = 0;
    bool whole = false;  // all that /proc tells; otherwise the name will do
  };
  // Whom to look at, to name what waits. To be asked when the queue has just been emptied: a process whose EXIT is in
  // it is not worth a look.
  [[nodiscard]] std::optional<Question> NextQuestion();
  [[nodiscard]] bool any_question() const { return names_.anyone_to_look_for() && room(); }

  // The answers. Of one that is not whole only the name counts.
  void Saw(const Sighting& sighting, bool whole);
  void SawGone(std::int32_t tgid, std::uint64_t taken_ns);
  void SawNothing(std::int32_t tgid);  // it is hidden

  // A process without a row, if there is room for one.
  [[nodiscard]] bool Unknown(std::int32_t tgid) const { return table_.Find(tgid) == kNowhere && table_.room() > 0; }
  void Found(const Sighting& sighting, procevent::Found how);

  // Every event that the kernel made before `heard_ns` has been booked.
  void Settle(std::uint64_t heard_ns);
  // Whether an answer waits for that.
  [[nodiscard]] bool any_answer() const { return waiting_ > 0 || names_.anyone_seen(); }

  // Whether rows came in doubt since this was asked last.
  [[nodiscard]] bool TakeAnyDoubt();
  // The next process in doubt among the rows from `cursor` to `last`; the cursor moves behind it, or to the end.
  [[nodiscard]] std::optional<std::int32_t> NextInDoubt(RowId& cursor, RowId last) const;
  [[nodiscard]] RowId end_of_rows() const { return table_.end(); }
  [[nodiscard]] bool room() const { return waiting_ < answers_.size(); }

 private:
  struct Answer {
    RowId row = kNowhere;
    std::uint32_t serial = 0;
    std::uint64_t epoch = 0;
    bool gone = false;
    Sighting sighting;
  };
  void Wait(RowId row, bool gone, const Sighting& sighting);
  void Believe(const Answer& answer);

  ProcessRows& table_;
  Names& names_;
  Census& census_;
  std::vector<Answer> answers_;  // a ring
  std::size_t first_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t epoch_asked_ = 0;
};

}  // namespace procevent

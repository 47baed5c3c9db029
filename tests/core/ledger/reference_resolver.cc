#include "tests/core/ledger/reference_resolver.h"

namespace procevent::reference {
namespace {

constexpr std::size_t kMostCells = 4096;
constexpr std::size_t kMostEndings = 65'536;
constexpr unsigned kMostHeldLooks = 25;
constexpr std::uint64_t kHeldPause = 20'000'000;

bool Stands(const UnnamedCounts& cell, std::uint64_t when_ns, std::uint64_t margin_ns) {
  return cell.glimpse && cell.glimpse->taken_ns + margin_ns <= when_ns;
}

}  // namespace

bool ReferenceResolver::Owns(std::int32_t tgid) const {
  const UnnamedCountsPtr& cell = rows.at(tgid).cell;
  return cell && cell->owner == tgid;
}

void ReferenceResolver::Refresh(std::int32_t tgid) {
  Process& row = rows.at(tgid);
  if (row.losses == losses) {
    return;
  }
  row.losses = losses;
  row.unsure = true;
  row.to_see = true;
  Leave(tgid);
  row.name.reset();
  row.found_as.reset();
}

bool ReferenceResolver::Open(std::int32_t tgid) {
  Process& row = rows.at(tgid);
  if (cells_.size() == kMostCells) {
    return false;
  }
  row.cell = std::make_shared<UnnamedCounts>();
  row.cell->owner = tgid;
  row.cell->members.insert(tgid);
  cells_.insert(row.cell);
  unlooked_.push_back(row.cell);
  if (row.found_as) {
    Glimpsed(tgid, row.found_as->name, row.found_as->taken_ns);
    row.found_as.reset();
  }
  return true;
}

// A process without a known name opens a cell with the first thing it does, but its end.
void ReferenceResolver::Book(std::int32_t tgid, CountKind count, std::optional<ExecKey> exec) {
  Process& row = rows.at(tgid);
  if (!row.name && !row.cell) {
    if (!Open(tgid)) {
      attributions["unattributed"] += count == CountKind::kExecs ? 1 : 0;
      books.Book(ReservedComm::kUnattributed, count);
      if (exec) {
        booked_execs.push_back({*exec, std::nullopt, "unattributed"});
      }
      return;
    }
  }
  if (row.cell) {
    ++row.cell->counts[count];
    if (exec) {
      row.cell->execs.push_back(*exec);
    }
  } else {
    books.Book(*row.name, count);
    if (exec) {
      booked_execs.push_back({*exec, row.name, "known"});
    }
  }
}

void ReferenceResolver::Book(std::int32_t tgid, const ExitRecord& ending) {
  Process& row = rows.at(tgid);
  if (row.found_as) {
    Open(tgid);
  }
  if (row.cell && endings_ < kMostEndings) {
    row.cell->endings.push_back(ending);
    ++endings_;
    return;
  }
  const bool waited = row.cell != nullptr;
  if (waited) {
    Close(row.cell, "unattributed", std::nullopt);
  }
  if (row.name) {
    books.Book(*row.name, ending);
  } else {
    attributions["unattributed"] += waited ? 0 : 1;
    books.Book(ReservedComm::kUnattributed, ending);
  }
}

void ReferenceResolver::BookUntracked(CountKind count, std::optional<ExecKey> exec) {
  books.Book(ReservedComm::kUntracked, count);
  if (exec) {
    booked_execs.push_back({*exec, std::nullopt, "unattributed"});
  }
}

void ReferenceResolver::Inherit(std::int32_t child, std::int32_t parent) {
  Process& row = rows.at(child);
  row.losses = losses;
  row.name = rows.at(parent).name;
  row.cell = rows.at(parent).cell;
  row.found_as.reset();
  if (row.cell) {
    row.cell->members.insert(child);
  }
}

void ReferenceResolver::StayUnnamed(std::int32_t child) {
  Process& row = rows.at(child);
  row.losses = losses;
  row.name.reset();
  row.found_as.reset();
}

void ReferenceResolver::CloseIfBelieved(std::int32_t tgid, std::uint64_t when_ns, std::uint64_t margin_ns) {
  if (Owns(tgid) && Stands(*rows.at(tgid).cell, when_ns, margin_ns)) {
    const UnnamedCountsPtr cell = rows.at(tgid).cell;
    Close(cell, "proc", cell->glimpse->name);
  }
}

void ReferenceResolver::Execed(std::int32_t tgid, std::uint64_t when_ns) {
  CloseIfBelieved(tgid, when_ns, kMargin);
  Leave(tgid);
  rows.at(tgid).name.reset();
  rows.at(tgid).found_as.reset();
}

void ReferenceResolver::Renamed(std::int32_t tgid, const std::string& name, std::uint64_t when_ns) {
  CloseIfBelieved(tgid, when_ns, kMargin);
  if (Owns(tgid) && rows.at(tgid).cell->counts.contains(CountKind::kExecs)) {
    Close(rows.at(tgid).cell, "comm_event", name);
  }
  Leave(tgid);
  rows.at(tgid).name = name;
  rows.at(tgid).found_as.reset();
}

void ReferenceResolver::Ended(std::int32_t tgid, std::uint64_t when_ns) {
  CloseIfBelieved(tgid, when_ns, 0);
  Leave(tgid);
}

// An owner takes the cell's hope for a name along; anybody else just goes.
void ReferenceResolver::Leave(std::int32_t tgid) {
  if (Owns(tgid)) {
    Close(rows.at(tgid).cell, "unattributed", std::nullopt);
  } else if (Process& row = rows.at(tgid); row.cell) {
    row.cell->members.erase(tgid);
    row.cell.reset();
  }
}

template <typename What>
void ReferenceResolver::BookNamed(const std::optional<std::string>& name, const What& what, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    if (name) {
      books.Book(*name, what);
    } else {
      books.Book(ReservedComm::kUnattributed, what);
    }
  }
}

void ReferenceResolver::Close(const UnnamedCountsPtr& closed, std::string_view how,
                              const std::optional<std::string>& name) {
  const UnnamedCountsPtr cell = closed;  // the row's own goes away below
  attributions[how] += cell->counts.empty() && cell->endings.empty() ? 0U : 1U;
  // A COMM event tells of the exec alone.
  const std::optional<std::string> other = how == "comm_event" ? std::nullopt : name;
  for (const auto& [count, times] : cell->counts) {
    BookNamed(count == CountKind::kExecs ? name : other, count, times);
  }
  for (const ExitRecord& ending : cell->endings) {
    BookNamed(other, ending, 1);
  }
  for (const ExecKey& exec : cell->execs) {
    booked_execs.push_back({exec, name, how});
  }
  endings_ -= cell->endings.size();
  for (const std::int32_t member : cell->members) {
    Process& row = rows.at(member);
    row.cell.reset();
    row.name = how == "proc" ? name : std::nullopt;
  }
  cells_.erase(cell);
  unlooked_.remove(cell);
  held_.remove(cell);
  looked_.remove(cell);
}

std::optional<std::int32_t> ReferenceResolver::NextQuestion() {
  const auto any_held = [this] { return !held_.empty() && held_.front()->held_ns + kHeldPause <= settled_ns_; };
  while (!unlooked_.empty() || any_held()) {
    std::list<UnnamedCountsPtr>& queue = unlooked_.empty() ? held_ : unlooked_;
    const std::int32_t owner = queue.front()->owner;
    queue.pop_front();
    if (rows.at(owner).losses == losses) {
      return owner;
    }
    Refresh(owner);
  }
  return std::nullopt;
}

void ReferenceResolver::Glimpsed(std::int32_t tgid, const std::string& name, std::uint64_t taken_ns) {
  if (Owns(tgid)) {
    const UnnamedCountsPtr cell = rows.at(tgid).cell;
    cell->glimpse = NameCandidate{name, taken_ns};
    unlooked_.remove(cell);
    held_.remove(cell);
    looked_.remove(cell);
    looked_.push_back(cell);
  }
}

bool ReferenceResolver::Held(std::int32_t tgid, std::uint64_t taken_ns) {
  const UnnamedCountsPtr cell = Owns(tgid) ? rows.at(tgid).cell : nullptr;
  if (!cell || cell->glimpse || cell->held_looks == kMostHeldLooks) {
    return false;
  }
  ++cell->held_looks;
  cell->held_ns = taken_ns;
  unlooked_.remove(cell);
  held_.remove(cell);
  held_.push_back(cell);
  return true;
}

// Beyond doubt this is its name.
void ReferenceResolver::Believe(std::int32_t tgid, const std::string& name) {
  Process& row = rows.at(tgid);
  if (Owns(tgid)) {
    Close(row.cell, "proc", name);
  } else if (!row.cell) {
    row.name = name;
    row.found_as.reset();
  }
}

void ReferenceResolver::Settle(std::uint64_t heard_ns) {
  settled_ns_ = heard_ns;
  while (!looked_.empty() && Stands(*looked_.front(), heard_ns, kMargin)) {
    const std::int32_t owner = looked_.front()->owner;
    if (rows.at(owner).losses == losses) {
      CloseIfBelieved(owner, heard_ns, kMargin);
    } else {
      Refresh(owner);
    }
  }
}

CountMap ReferenceResolver::Pending() const {
  CountMap pending;
  for (const UnnamedCountsPtr& cell : cells_) {
    for (const auto& [count, times] : cell->counts) {
      pending[count] += times;
    }
    for (const ExitRecord& ending : cell->endings) {
      ++pending[ending.outcome()];
    }
  }
  return pending;
}

}  // namespace procevent::reference

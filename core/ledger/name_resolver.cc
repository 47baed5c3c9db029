#include "core/ledger/name_resolver.h"

namespace procevent {
namespace {

constexpr std::size_t Index(Attribution how) { return static_cast<std::size_t>(how); }

// Whether what /proc said of a cell stands, if nothing was heard of its process up to `when_ns`.
bool Believed(const PendingCounts& cell, std::uint64_t when_ns, std::uint64_t margin_ns) {
  return cell.candidate_ns != 0 && cell.candidate_ns + margin_ns <= when_ns;
}

}  // namespace

void NameResolver::Forget(RowId id) {
  Leave(id);
  ProcessRow& row = table_[id];
  row.epoch = epoch_;
  row.naming = NameState::kUnknown;
  table_.MarkUncertain(id);
}

void NameResolver::Record(RowId id, CountKind count) {
  ProcessRow& row = table_[id];
  if (row.naming != NameState::kKnown) {
    Open(id);
  }
  if (row.cell != kInvalidId) {
    cells_.Add(row.cell, count);
  } else if (row.naming == NameState::kKnown) {
    accounts_.Record(row.name, row.comm, count);
  } else {
    attributions_[Index(Attribution::kUnattributed)] += count == CountKind::kExecs ? 1 : 0;
    BookReserved(ReservedComm::kUnattributed, count);
  }
}

// A process that ends without a name will not get one any more, unless it shares the cell of one that lives on.
void NameResolver::Record(RowId id, const ProcessExit& end) {
  ProcessRow& row = table_[id];
  if (row.naming == NameState::kUnconfirmed) {
    Open(id);
  }
  if (row.cell != kInvalidId) {
    if (cells_.Add(row.cell, end)) {
      return;
    }
    Close(row.cell, Attribution::kUnattributed);  // more ends wait than there is room for
  } else if (row.naming != NameState::kKnown) {
    ++attributions_[Index(Attribution::kUnattributed)];
  }
  if (row.naming == NameState::kKnown) {
    accounts_.Record(row.name, row.comm, end);
  } else {
    BookReserved(ReservedComm::kUnattributed, end);
  }
}

void NameResolver::InheritName(RowId child, RowId parent) {
  ProcessRow& row = table_[child];
  const ProcessRow& from = table_[parent];
  row.epoch = epoch_;
  row.name = from.name;
  row.comm = from.comm;
  row.naming = from.naming == NameState::kKnown ? NameState::kKnown : NameState::kUnknown;
  if (from.cell != kInvalidId) {
    Join(child, from.cell);
  }
}

void NameResolver::SetUnconfirmedName(RowId id, const CommName& name) {
  table_[id].name = name;
  table_[id].comm = {};
  table_[id].naming = NameState::kUnconfirmed;
}

void NameResolver::ClearName(RowId child) {
  table_[child].epoch = epoch_;
  table_[child].naming = NameState::kUnknown;
}

void NameResolver::RequestName(RowId child) {
  ClearName(child);
  Open(child);
}

void NameResolver::OnExec(RowId id, std::uint64_t when_ns) {
  CloseOwned(id, when_ns, kNameMargin);
  Leave(id);
  table_[id].naming = NameState::kUnknown;
}

void NameResolver::OnRename(RowId id, const CommName& name, std::uint64_t when_ns) {
  if (Owns(id) && cells_[table_[id].cell].counts[CountKind::kExecs] != 0 &&
      !Believed(cells_[table_[id].cell], when_ns, kNameMargin)) {
    Close(table_[id].cell, Attribution::kCommEvent, name);
  }
  CloseOwned(id, when_ns, kNameMargin);
  Leave(id);
  SetName(id, name, {});
}

void NameResolver::OnExit(RowId id, std::uint64_t when_ns) {
  CloseOwned(id, when_ns, 0);
  Leave(id);
}

// Those who come are looked for before those who were held when they came.
PendingCountsId NameResolver::NextCellToLookFor() {
  const PendingCountsId fresh = cells_.TakeUnread();
  return fresh != kInvalidId ? fresh : cells_.TakeDueRetry(settled_ns_);
}

RowId NameResolver::NextNameRequest() {
  for (PendingCountsId cell = NextCellToLookFor(); cell != kInvalidId; cell = NextCellToLookFor()) {
    const RowId owner = cells_[cell].owner;
    if (table_[owner].epoch == epoch_) {
      return owner;
    }
    Forget(owner);
  }
  return kInvalidId;
}

void NameResolver::SetCandidateName(RowId id, const CommName& name, std::uint64_t taken_ns) {
  if (Owns(id)) {
    cells_.SetCandidate(table_[id].cell, name, taken_ns);
  }
}

void NameResolver::MarkCurrent(RowId id) {
  Leave(id);
  table_[id].epoch = epoch_;
}

void NameResolver::ConfirmName(RowId id, const CommName& name) {
  const ProcessRow& row = table_[id];
  if (Owns(id)) {
    Close(row.cell, Attribution::kProc, name);
  } else if (row.cell == kInvalidId && (row.naming != NameState::kKnown || row.name != name)) {
    SetName(id, name, {});
  }
}

void NameResolver::ConfirmNamesUpTo(std::uint64_t heard_ns) {
  settled_ns_ = heard_ns;
  for (PendingCountsId cell = cells_.first_candidate(); cell != kInvalidId; cell = cells_.first_candidate()) {
    if (!Believed(cells_[cell], heard_ns, kNameMargin)) {
      return;
    }
    const RowId owner = cells_[cell].owner;
    if (table_[owner].epoch == epoch_) {
      Close(cell, Attribution::kProc, cells_[cell].candidate);
    } else {
      Forget(owner);
    }
  }
}

// What /proc showed before there was anything to name is a candidate like any other.
void NameResolver::Open(RowId owner) {
  ProcessRow& row = table_[owner];
  const PendingCountsId cell = cells_.Open(owner);
  if (cell == kInvalidId) {
    return;
  }
  if (row.naming == NameState::kUnconfirmed) {
    cells_.SetCandidate(cell, row.name, row.seen_ns);
  }
  row.naming = NameState::kKnown;
  Join(owner, cell);
}

void NameResolver::Join(RowId id, PendingCountsId cell) {
  ProcessRow& row = table_[id];
  row.cell = cell;
  row.previous_in_cell = kInvalidId;
  row.next_in_cell = cells_[cell].first_row;
  if (row.next_in_cell != kInvalidId) {
    table_[row.next_in_cell].previous_in_cell = id;
  }
  cells_[cell].first_row = id;
}

void NameResolver::Part(RowId id) {
  ProcessRow& row = table_[id];
  (row.previous_in_cell == kInvalidId ? cells_[row.cell].first_row : table_[row.previous_in_cell].next_in_cell) =
      row.next_in_cell;
  if (row.next_in_cell != kInvalidId) {
    table_[row.next_in_cell].previous_in_cell = row.previous_in_cell;
  }
  row.cell = kInvalidId;
}

// Without the owner nothing can name the cell any more.
void NameResolver::Leave(RowId id) {
  if (Owns(id)) {
    Close(table_[id].cell, Attribution::kUnattributed);
  } else if (table_[id].cell != kInvalidId) {
    Part(id);
  }
}

void NameResolver::CloseOwned(RowId owner, std::uint64_t when_ns, std::uint64_t margin_ns) {
  if (!Owns(owner)) {
    return;
  }
  const PendingCountsId cell = table_[owner].cell;
  if (Believed(cells_[cell], when_ns, margin_ns)) {
    Close(cell, Attribution::kProc, cells_[cell].candidate);
  }
}

// Those who were in the cell go by its name from now on. A COMM event names the program, and not what it, and children
// that it had forked, did before: the name they had then is not known.
void NameResolver::Close(PendingCountsId cell, Attribution how, CommName name) {
  const bool of_all = how == Attribution::kProc;
  if (how == Attribution::kCommEvent) {
    CommRef ref;
    accounts_.Record(name, ref, cells_.RemoveExecs(cell));
  }
  const bool empty = how != Attribution::kCommEvent && cells_[cell].empty();
  attributions_[Index(how)] += empty ? 0 : 1;
  CommRef ref = of_all ? CommRef{} : CommTable::Reserved(ReservedComm::kUnattributed);
  RowId id = cells_[cell].first_row;
  cells_.Close(cell, name, ref, accounts_);
  while (id != kInvalidId) {
    ProcessRow& row = table_[id];
    row.cell = kInvalidId;
    row.naming = NameState::kUnknown;
    if (of_all) {
      SetName(id, name, ref);
    }
    id = row.next_in_cell;
  }
}

void NameResolver::SetName(RowId id, const CommName& name, CommRef ref) {
  ProcessRow& row = table_[id];
  row.name = name;
  row.comm = ref;
  row.naming = NameState::kKnown;
}

}  // namespace procevent

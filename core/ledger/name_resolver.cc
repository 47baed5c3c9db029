#include "core/ledger/name_resolver.h"

namespace procevent {
namespace {

constexpr std::size_t Index(Attribution how) { return static_cast<std::size_t>(how); }

// Whether what /proc said of a cell stands, if nothing was heard of its process up to `when_ns`.
bool Believed(const NameCell& cell, std::uint64_t when_ns, std::uint64_t margin_ns) {
  return cell.candidate_ns != 0 && cell.candidate_ns + margin_ns <= when_ns;
}

}  // namespace

void Names::Forget(RowId id) {
  Leave(id);
  ProcessRow& row = table_[id];
  row.epoch = epoch_;
  row.naming = Naming::kUnknown;
  table_.SetUnsure(id);
}

void Names::Book(RowId id, Count count) {
  ProcessRow& row = table_[id];
  if (row.naming != Naming::kKnown) {
    Open(id);
  }
  if (row.cell != kNowhere) {
    cells_.Add(row.cell, count);
  } else if (row.naming == Naming::kKnown) {
    accounts_.Book(row.name, row.comm, count);
  } else {
    attributions_[Index(Attribution::kUnattributed)] += count == Count::kExecs ? 1 : 0;
    BookReserved(ReservedComm::kUnattributed, count);
  }
}

// A process that ends without a name will not get one any more, unless it shares the cell of one that lives on.
void Names::Book(RowId id, const End& end) {
  ProcessRow& row = table_[id];
  if (row.naming == Naming::kSeen) {
    Open(id);
  }
  if (row.cell != kNowhere) {
    if (cells_.Add(row.cell, end)) {
      return;
    }
    Close(row.cell, Attribution::kUnattributed);  // more ends wait than there is room for
  } else if (row.naming != Naming::kKnown) {
    ++attributions_[Index(Attribution::kUnattributed)];
  }
  if (row.naming == Naming::kKnown) {
    accounts_.Book(row.name, row.comm, end);
  } else {
    BookReserved(ReservedComm::kUnattributed, end);
  }
}

void Names::Inherit(RowId child, RowId parent) {
  ProcessRow& row = table_[child];
  const ProcessRow& from = table_[parent];
  row.epoch = epoch_;
  row.name = from.name;
  row.comm = from.comm;
  row.naming = from.naming == Naming::kKnown ? Naming::kKnown : Naming::kUnknown;
  if (from.cell != kNowhere) {
    Join(child, from.cell);
  }
}

void Names::NoteSeen(RowId id, const CommName& name) {
  table_[id].name = name;
  table_[id].comm = {};
  table_[id].naming = Naming::kSeen;
}

void Names::Unname(RowId child) {
  table_[child].epoch = epoch_;
  table_[child].naming = Naming::kUnknown;
}

void Names::LookFor(RowId child) {
  Unname(child);
  Open(child);
}

void Names::Execed(RowId id, std::uint64_t when_ns) {
  CloseOwned(id, when_ns, kNameMargin);
  Leave(id);
  table_[id].naming = Naming::kUnknown;
}

void Names::Renamed(RowId id, const CommName& name, std::uint64_t when_ns) {
  if (Owns(id) && cells_[table_[id].cell].tally[Count::kExecs] != 0 &&
      !Believed(cells_[table_[id].cell], when_ns, kNameMargin)) {
    Close(table_[id].cell, Attribution::kCommEvent, name);
  }
  CloseOwned(id, when_ns, kNameMargin);
  Leave(id);
  SetName(id, name, {});
}

void Names::Ended(RowId id, std::uint64_t when_ns) {
  CloseOwned(id, when_ns, 0);
  Leave(id);
}

// Those who come are looked for before those who were held when they came.
CellId Names::NextCellToLookFor() {
  const CellId fresh = cells_.TakeUnlooked();
  return fresh != kNowhere ? fresh : cells_.TakeHeld(settled_ns_);
}

RowId Names::NextToLookFor() {
  for (CellId cell = NextCellToLookFor(); cell != kNowhere; cell = NextCellToLookFor()) {
    const RowId owner = cells_[cell].owner;
    if (table_[owner].epoch == epoch_) {
      return owner;
    }
    Forget(owner);
  }
  return kNowhere;
}

void Names::Saw(RowId id, const CommName& name, std::uint64_t taken_ns) {
  if (Owns(id)) {
    cells_.SetCandidate(table_[id].cell, name, taken_ns);
  }
}

void Names::Trust(RowId id) {
  Leave(id);
  table_[id].epoch = epoch_;
}

void Names::Correct(RowId id, const CommName& name) {
  const ProcessRow& row = table_[id];
  if (Owns(id)) {
    Close(row.cell, Attribution::kProc, name);
  } else if (row.cell == kNowhere && (row.naming != Naming::kKnown || row.name != name)) {
    SetName(id, name, {});
  }
}

void Names::Settle(std::uint64_t heard_ns) {
  settled_ns_ = heard_ns;
  for (CellId cell = cells_.first_looked(); cell != kNowhere; cell = cells_.first_looked()) {
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
void Names::Open(RowId owner) {
  ProcessRow& row = table_[owner];
  const CellId cell = cells_.Open(owner);
  if (cell == kNowhere) {
    return;
  }
  if (row.naming == Naming::kSeen) {
    cells_.SetCandidate(cell, row.name, row.seen_ns);
  }
  row.naming = Naming::kKnown;
  Join(owner, cell);
}

void Names::Join(RowId id, CellId cell) {
  ProcessRow& row = table_[id];
  row.cell = cell;
  row.previous_in_cell = kNowhere;
  row.next_in_cell = cells_[cell].first_row;
  if (row.next_in_cell != kNowhere) {
    table_[row.next_in_cell].previous_in_cell = id;
  }
  cells_[cell].first_row = id;
}

void Names::Part(RowId id) {
  ProcessRow& row = table_[id];
  (row.previous_in_cell == kNowhere ? cells_[row.cell].first_row : table_[row.previous_in_cell].next_in_cell) =
      row.next_in_cell;
  if (row.next_in_cell != kNowhere) {
    table_[row.next_in_cell].previous_in_cell = row.previous_in_cell;
  }
  row.cell = kNowhere;
}

// Without the owner nothing can name the cell any more.
void Names::Leave(RowId id) {
  if (Owns(id)) {
    Close(table_[id].cell, Attribution::kUnattributed);
  } else if (table_[id].cell != kNowhere) {
    Part(id);
  }
}

void Names::CloseOwned(RowId owner, std::uint64_t when_ns, std::uint64_t margin_ns) {
  if (!Owns(owner)) {
    return;
  }
  const CellId cell = table_[owner].cell;
  if (Believed(cells_[cell], when_ns, margin_ns)) {
    Close(cell, Attribution::kProc, cells_[cell].candidate);
  }
}

// Those who were in the cell go by its name from now on. A COMM event names the program, and not what it, and children
// that it had forked, did before: the name they had then is not known.
void Names::Close(CellId cell, Attribution how, CommName name) {
  const bool of_all = how == Attribution::kProc;
  if (how == Attribution::kCommEvent) {
    CommRef ref;
    accounts_.Book(name, ref, cells_.TakeExecs(cell));
  }
  const bool empty = how != Attribution::kCommEvent && cells_[cell].empty();
  attributions_[Index(how)] += empty ? 0 : 1;
  CommRef ref = of_all ? CommRef{} : CommTable::Reserved(ReservedComm::kUnattributed);
  RowId id = cells_[cell].first_row;
  cells_.Close(cell, name, ref, accounts_);
  while (id != kNowhere) {
    ProcessRow& row = table_[id];
    row.cell = kNowhere;
    row.naming = Naming::kUnknown;
    if (of_all) {
      SetName(id, name, ref);
    }
    id = row.next_in_cell;
  }
}

void Names::SetName(RowId id, const CommName& name, CommRef ref) {
  ProcessRow& row = table_[id];
  row.name = name;
  row.comm = ref;
  row.naming = Naming::kKnown;
}

}  // namespace procevent

#include "core/tracker/process_rules.h"

#include "core/protocol/proc_snapshot.h"

namespace procevent {

ChildName NameOfChild(const Task& parent) {
  if (parent.tgid == kKthreadd) {
    return ChildName::kOfKernelThread;
  }
  return IsLeader(parent) ? ChildName::kOfParent : ChildName::kOfAnotherThread;
}

StartMatch CompareStarts(StartSource source, std::uint64_t known_ns, std::uint64_t proc_ns) {
  if (proc_ns > known_ns + (source == StartSource::kFork ? 0 : kStartMargin)) {
    return StartMatch::kLater;
  }
  return proc_ns + kStartMargin > known_ns ? StartMatch::kSame : StartMatch::kEarlier;
}

}  // namespace procevent

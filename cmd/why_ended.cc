#include "cmd/why_ended.h"

#include <new>

namespace procevent {

const char* WhyEnded(const std::exception& fault) {
  if (dynamic_cast<const std::bad_alloc*>(&fault) != nullptr) {
    return "not enough memory; allow 64 MiB or more (ulimit -v and -d, systemd: LimitAS and LimitDATA)";
  }
  return fault.what();
}

}  // namespace procevent

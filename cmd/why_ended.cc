#include "cmd/why_ended.h"

#include <new>

namespace procevent {

const char* WhyEnded(const std::exception& fault) {
  if (dynamic_cast<const std::bad_alloc*>(&fault) != nullptr) {
    return "not enough memory; with the defaults 64 MiB are enough: raise ulimit -v and -d (systemd: LimitAS, "
           "LimitDATA), or lower processes.limit and comms.limit";
  }
  return fault.what();
}

}  // namespace procevent

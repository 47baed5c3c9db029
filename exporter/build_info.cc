#include "exporter/build_info.h"

namespace procevent {

std::string_view Version() { return PROCEVENT_VERSION; }

std::string_view Compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "gcc " __VERSION__;
#endif
}

}  // namespace procevent

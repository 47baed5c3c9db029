#include "config/fault.h"

namespace procevent {

std::string Describe(const Fault& fault) {
  std::string line = fault.file;
  if (fault.place != Place{}) {
    line += ':' + std::to_string(fault.place.line) + ':' + std::to_string(fault.place.column);
  }
  for (const std::string& part : {fault.key, "found " + fault.found + ", allowed is " + fault.allowed}) {
    if (!line.empty() && !part.empty()) {
      line += ": ";
    }
    line += part;
  }
  return line;
}

}  // namespace procevent

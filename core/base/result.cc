#include "core/base/result.h"

#include <system_error>

namespace procevent {

std::string Describe(const Error& error) {
  std::string line = "cannot " + std::string(error.operation);
  if (error.code != 0) {
    line += ": " + std::generic_category().message(error.code);
  }
  if (!error.remedy.empty()) {
    line += "; " + std::string(error.remedy);
  }
  return line;
}

}  // namespace procevent

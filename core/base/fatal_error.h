// An Error as an exception, for failures that end a command.
#pragma once

#include <stdexcept>

#include "core/base/result.h"

namespace procevent {

class FatalError : public std::runtime_error {
 public:
  explicit FatalError(const Error& error) : std::runtime_error(Describe(error)), error_(error) {}

  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
};

}  // namespace procevent

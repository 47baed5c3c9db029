// An Error as an exception, for failures that end a command. Only start-up code throws it.
#pragma once

#include <stdexcept>
#include <utility>

#include "core/base/result.h"

namespace procevent {

class FatalError : public std::runtime_error {
 public:
  explicit FatalError(const Error& error) : std::runtime_error(Describe(error)), error_(error) {}

  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
};

// The value of a result, or its error as an exception.
template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result) {
    throw FatalError(result.error());
  }
  return std::move(result).value();
}

// Of std::bad_alloc.
inline constexpr StaticError kOutOfMemory{
    "continue", "not enough memory",
    "with the defaults 64 MiB are enough: raise ulimit -v and -d (systemd: LimitAS, LimitDATA), or lower "
    "processes.limit, groups.limit and the number of name_groups"};

}  // namespace procevent

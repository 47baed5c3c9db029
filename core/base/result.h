// FOLDED: error.h, result.h, remedies.h
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace procevent {

// What went wrong, in three parts: the operation that failed, the errno it left (0 if there is none), and what
// the operator can do about it. Texts are static, so an Error can be made on the reader's path without allocating.
// Any room may use it.

struct Error {
  std::string_view operation;  // static text: "bind the connector socket"
  int code = 0;                // errno, or 0
  std::string_view remedy;     // static text: "run the container with --network host"; may be empty

  bool operator==(const Error&) const = default;
};

// One line: "cannot bind the connector socket: Operation not permitted; remedy".
std::string Describe(const Error& error);

// A value or an Error: how every recoverable fault travels. Any room may use it.

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, error) {}         // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// The result of something that is done or not: Status Done() {...; return Success{};}
struct Success {};
using Status = Result<Success>;

// What helps, where several rooms have to say it.

inline constexpr std::string_view kThreadsRemedy =
    "raise the limit of processes (ulimit -u, TasksMax, pids.max) or of memory (ulimit -v)";

}  // namespace procevent

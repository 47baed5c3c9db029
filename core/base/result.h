// Value-or-error type for recoverable failures.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace procevent {

// A failed operation, its errno and its remedy. All texts are static, so the reader's thread can make an Error without
// allocating.
struct Error {
  std::string_view operation;  // static text, completes "cannot ...": "bind the connector socket"
  int code = 0;                // errno, or 0
  // Static text: "run the container with --network host"; may be empty. With code 0 it begins with the cause.
  std::string_view remedy;

  bool operator==(const Error&) const = default;
};

// One line: "cannot bind the connector socket: Operation not permitted; run as root".
inline std::string Describe(const Error& error) {
  std::string line = "cannot " + std::string(error.operation);
  if (error.code != 0) {
    line += ": " + std::generic_category().message(error.code);
  }
  if (!error.remedy.empty()) {
    line += (error.code != 0 ? "; " : ": ") + std::string(error.remedy);
  }
  return line;
}

// Either a value or an Error.
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

// Result of an operation without a value: return Success{} or an Error.
struct Success {};
using Status = Result<Success>;

}  // namespace procevent

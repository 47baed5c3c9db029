// The error type of the project, and a value-or-error type for recoverable failures.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace procevent {

// Why an operation failed: an errno, a static text, or an errno that the text explains further.
struct Cause {
  constexpr Cause() = default;
  constexpr Cause(int error_code, std::string_view explanation = {})  // NOLINT(google-explicit-constructor)
      : code(error_code), text(explanation) {}
  constexpr Cause(std::string_view explanation) : text(explanation) {}  // NOLINT(google-explicit-constructor)
  constexpr Cause(const char* explanation) : text(explanation) {}       // NOLINT(google-explicit-constructor)

  int code = 0;  // errno, or 0
  std::string_view text;

  bool operator==(const Cause&) const = default;
};

// A failed operation in static texts only. Trivially copyable, so the reader's thread can make and publish one without
// an allocation or a lock.
struct StaticError {
  std::string_view operation;  // completes "cannot ...": "bind the connector socket"
  Cause cause = {};
  std::string_view remedy = {};  // "run as root"; may be empty

  bool operator==(const StaticError&) const = default;
};

static_assert(std::is_trivially_copyable_v<StaticError>);

// A failed operation, with what only the caller knows. Every member is safe to print, and bounded.
struct Error : StaticError {
  constexpr Error() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Error(const StaticError& error, std::string on_object = {}, std::string more = {})
      : StaticError(error), object(std::move(on_object)), details(std::move(more)) {}
  Error(std::string_view failed_operation, Cause why, std::string_view what_helps = {}, std::string on_object = {},
        std::string more = {})
      : StaticError{failed_operation, why, what_helps}, object(std::move(on_object)), details(std::move(more)) {}

  std::string object;   // what the operation was applied to: "127.0.0.1:80", the path of a file
  std::string details;  // of the cause: "12 of 40 bytes"

  bool operator==(const Error&) const = default;
};

// "Operation not permitted: a security policy forbids netlink sockets", "truncated packet (12 of 40 bytes)".
inline std::string DescribeCause(const Error& error) {
  std::string text = error.cause.code == 0 ? "" : std::generic_category().message(error.cause.code);
  if (!error.cause.text.empty()) {
    text += (text.empty() ? "" : ": ") + std::string(error.cause.text);
  }
  if (!error.details.empty()) {
    text += text.empty() ? error.details : " (" + error.details + ')';
  }
  return text;
}

// "the port is missing; use host:port", to append to the text of an input.
inline std::string DescribeCauseAndRemedy(const Error& error) {
  const std::string cause = DescribeCause(error);
  return error.remedy.empty() ? cause : cause + "; " + std::string(error.remedy);
}

// One line without the remedy: "cannot bind the connector socket: Operation not permitted".
inline std::string DescribeFinding(const Error& error) {
  std::string line = "cannot " + std::string(error.operation);
  if (!error.object.empty()) {
    line += ' ' + error.object;
  }
  const std::string cause = DescribeCause(error);
  return cause.empty() ? line : line + ": " + cause;
}

// One line: "cannot bind the connector socket: Operation not permitted; run as root".
inline std::string Describe(const Error& error) {
  const std::string finding = DescribeFinding(error);
  return error.remedy.empty() ? finding : finding + "; " + std::string(error.remedy);
}

// Either a value or an error.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

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
  [[nodiscard]] const E& error() const& {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] E&& error() && {
    assert(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, E> state_;
};

// Result of an operation without a value: return Success{} or an error.
struct Success {};
using Status = Result<Success>;

}  // namespace procevent

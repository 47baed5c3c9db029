// What went wrong, in three parts: the operation that failed, the errno it left (0 if there is none), and what
// the operator can do about it. Texts are static, so an Error can be made on the reader's path without allocating.
// Any room may use it.
#pragma once

#include <string>
#include <string_view>

namespace procevent {

struct Error {
  std::string_view operation;  // static text: "bind the connector socket"
  int code = 0;                // errno, or 0
  std::string_view remedy;     // static text: "run the container with --network host"; may be empty

  bool operator==(const Error&) const = default;
};

// One line: "cannot bind the connector socket: Operation not permitted; remedy".
std::string Describe(const Error& error);

}  // namespace procevent

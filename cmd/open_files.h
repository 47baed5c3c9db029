// The limit of open files: what many clients at once take, as far as it may be had. For Serve, at the start, and for
// doctor.
#pragma once

#include <optional>
#include <string>

namespace procevent {

// Raises the soft limit towards the hard one. A line that names the remedy, if that leaves too few.
std::optional<std::string> RaiseOpenFiles();

// With the limit as it is the exporter does not start, or cannot answer.
bool TooFewOpenFiles();

}  // namespace procevent

// The limit of open files: what many clients at once take, as far as it may be had. Used by Serve, at the start.
#pragma once

#include <optional>
#include <string>

namespace procevent {

// Raises the soft limit towards the hard one. A line that names the remedy, if that leaves too few.
std::optional<std::string> RaiseOpenFiles();

}  // namespace procevent

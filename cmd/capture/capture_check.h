// Checks whether a capture can be replayed, for `check-config`.
#pragma once

#include <string>

#include "core/base/result.h"

namespace procevent {

// Reads the whole file, as the exporter does at start. Returns the error that the exporter would log.
Status CheckCapture(const std::string& file);

}  // namespace procevent

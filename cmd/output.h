// Text for the standard output and error, whole or with the reason why not. Used by cmd outside of the log.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace procevent {

Status WriteAll(int fd, std::string_view text);

// Prints to the standard output: `code`, or 1 and a line on the standard error if that fails.
int PrintAndExitWith(int code, std::string_view text);

// As if the standard descriptors were open: what a closed one would be given otherwise is a socket of ours.
void OpenStandardDescriptors();

}  // namespace procevent

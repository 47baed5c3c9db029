// Loads a configuration from text or from a file: the validated options, or every error at once.
#pragma once

#include <string>
#include <string_view>

#include "config/schema/effective_config.h"
#include "core/base/input_error.h"
#include "core/base/result.h"

namespace procevent {

// Either the configuration, or its errors in the order of the text, at least one. Of a text with more than 100 errors,
// the first 100 and one that truncates the list.
using LoadedConfig = Result<EffectiveConfig, InputErrors>;

// `file_name` is the name of the text in its errors. Throws nothing, whatever the text contains.
LoadedConfig LoadConfig(std::string_view text, std::string_view file_name);

// Reads a regular file of at most 1 MiB. Rejects every other kind of file at once: a FIFO cannot block it.
LoadedConfig LoadConfigFile(const std::string& path);

}  // namespace procevent

// A text as a YAML file has it, for the effective configuration: read back, it is the same text. Pure; used inside
// config.
#pragma once

#include <string>
#include <string_view>

namespace procevent {

// As it is where nothing in it means something to YAML, else between quotes.
std::string YamlText(std::string_view text);

// Between quotes; characters that may not be printed are escaped. `text` is UTF-8, as all that YAML can say.
std::string YamlQuoted(std::string_view text);

}  // namespace procevent

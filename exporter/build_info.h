// What this program is: said by --version, the landing page and procevent_build_info. Anybody above may ask.
#pragma once

#include <string_view>

namespace procevent {

std::string_view Version();   // "0.1.0"
std::string_view Compiler();  // "gcc 12.2.0"

}  // namespace procevent

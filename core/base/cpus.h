// How many CPUs this machine may ever have: the range of the `cpu` in events. Read once, at start.
#pragma once

#include <string_view>

namespace procevent {

// One more than the highest CPU in a list like "0-3,8"; 0 if the text is no such list.
unsigned HighestCpuPlusOne(std::string_view list);

// From /sys/devices/system/cpu/possible, or what sysconf says where that cannot be read; at least 1.
unsigned PossibleCpus();

}  // namespace procevent

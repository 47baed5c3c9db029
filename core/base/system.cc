#include "core/base/system.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

namespace procevent {

unsigned HighestCpuPlusOne(std::string_view list) {
  const auto last = list.find_last_of(",-");
  std::string_view number = last == std::string_view::npos ? list : list.substr(last + 1);
  while (!number.empty() && (number.back() == '\n' || number.back() == ' ')) {
    number.remove_suffix(1);
  }
  unsigned cpu = 0;
  const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), cpu);
  constexpr unsigned kMaxCpus = 1U << 16U;
  if (fault != std::errc{} || end != number.data() + number.size() || cpu >= kMaxCpus) {
    return 0;
  }
  return cpu + 1;
}

unsigned PossibleCpus() {
  std::ifstream file("/sys/devices/system/cpu/possible");
  std::string list;
  std::getline(file, list);
  const unsigned possible = HighestCpuPlusOne(list);
  if (possible > 0) {
    return possible;
  }
  return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
}

}  // namespace procevent

#include "cmd/environment.h"

#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace procevent {

std::vector<Variable> ReadEnvironment() {
  std::vector<Variable> variables;
  for (char* const* entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && MayBeOurs(text.substr(0, equals))) {
      variables.push_back({std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))});
    }
  }
  return variables;
}

}  // namespace procevent

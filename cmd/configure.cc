#include "cmd/configure.h"

#include <iterator>
#include <utility>

#include "config/check.h"

namespace procevent {

LoadedConfig Configure(const Flags& flags) {
  Config config;
  std::vector<Fault> faults;
  if (flags.config_file && flags.config_file->empty()) {
    faults.push_back({{}, {}, "--config.file", R"("")", "the path of a file"});
  } else if (flags.config_file) {
    LoadedConfig loaded = LoadConfigFile(*flags.config_file);
    if (auto* const of_file = std::get_if<std::vector<Fault>>(&loaded)) {
      faults = std::move(*of_file);
    } else {
      config = std::get<Config>(std::move(loaded));
    }
  }
  for (const Setting& setting : flags.settings) {
    std::vector<Fault> of_flag = SetFromFlag(setting.flag, setting.path, setting.values, config);
    faults.insert(faults.end(), std::move_iterator(of_flag.begin()), std::move_iterator(of_flag.end()));
  }
  if (!faults.empty()) {
    return faults;
  }
  return config;
}

}  // namespace procevent

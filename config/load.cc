#include "config/load.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "config/check.h"
#include "config/read_file.h"
#include "config/text.h"
#include "config/yaml_node.h"

namespace procevent {
namespace {

constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostFaults = 100;

}  // namespace

LoadedConfig LoadConfig(std::string_view text, std::string_view file_name) {
  const std::string file = Printable(file_name, kMostNameBytes);
  YamlDocument document = ParseYaml(text, file);
  std::vector<Fault> faults = std::move(document.faults);
  EffectiveConfig effective;
  if (document.whole) {
    for (Fault& fault : CheckTree(document.root, file, effective)) {
      faults.push_back(std::move(fault));
    }
  }
  if (faults.empty()) {
    return effective;
  }
  std::ranges::stable_sort(faults, {}, &Fault::place);
  if (faults.size() > kMostFaults) {
    const std::size_t more = faults.size() - kMostFaults;
    faults.resize(kMostFaults);
    faults.push_back({file, {}, {}, "at least " + std::to_string(more) + " faults more", "none"});
  }
  return faults;
}

LoadedConfig LoadConfigFile(const std::string& path) {
  const ReadText read = ReadWholeFile(path);
  if (!read.found.empty()) {
    return std::vector<Fault>{{Printable(path, kMostNameBytes), {}, {}, read.found, read.allowed}};
  }
  return LoadConfig(read.text, path);
}

}  // namespace procevent

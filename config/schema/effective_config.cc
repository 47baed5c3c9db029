#include "config/schema/effective_config.h"

#include <cstddef>

#include "config/schema/schema.h"

namespace procevent {
namespace {

constexpr std::size_t kIndentation = 2;

// Writes keys as nested YAML: a section's name precedes the first of its keys.
class YamlWriter {
 public:
  void AddKey(std::string_view path, const std::string& value, const std::string& comment) {
    std::size_t depth = 0;
    std::size_t begin = 0;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', begin)) {
      if (!IsOpen(path.substr(0, dot + 1))) {
        text_ += Indented(depth, path.substr(begin, dot - begin)) + ":\n";
      }
      begin = dot + 1;
      ++depth;
    }
    text_ += Indented(depth, path.substr(begin)) + ": " + value + "  # " + comment + '\n';
    previous_path_ = path;
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  // True if the previous key was in this section, such as "histograms.lifetime.".
  [[nodiscard]] bool IsOpen(std::string_view section) const { return previous_path_.starts_with(section); }
  static std::string Indented(std::size_t depth, std::string_view name) {
    return std::string(depth * kIndentation, ' ') + std::string(name);
  }

  std::string text_;
  std::string_view previous_path_;
};

}  // namespace

std::string Describe(const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kDefault:
      break;
    case Origin::Kind::kFile:
      return origin.name + ':' + std::to_string(origin.line);
    case Origin::Kind::kEnvironment:
      return "environment " + origin.name;
    case Origin::Kind::kFlag:
      return "flag " + origin.name;
  }
  return "default";
}

std::string ToYaml(const EffectiveConfig& effective) {
  YamlWriter writer;
  for (const Option& option : Schema()) {
    const auto origin = effective.origins.find(option.key);
    writer.AddKey(option.key, FormatValue(option, option.field.get(effective.config)),
                  Describe(origin == effective.origins.end() ? Origin{} : origin->second));
  }
  return writer.text();
}

std::vector<const Option*> ChangedOptions(const Config& before, const Config& after) {
  std::vector<const Option*> changed;
  for (const Option& option : Schema()) {
    if (option.field.get(before) != option.field.get(after)) {
      changed.push_back(&option);
    }
  }
  return changed;
}

}  // namespace procevent

#include "tests/config/random_config.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "config/schema/schema.h"

namespace procevent {
namespace {

// Half of the numbers are multiples of a unit, so that they are formatted with it.
std::uint64_t RandomWithin(std::mt19937& random, std::uint64_t min, std::uint64_t max) {
  const std::uint64_t number = std::uniform_int_distribution<std::uint64_t>(min, max)(random);
  constexpr std::array<std::uint64_t, 3> kUnits{1000, 60'000, 1U << 20U};
  const std::uint64_t rounded = number - number % kUnits.at(random() % kUnits.size());
  return random() % 2 == 0 && rounded >= min ? rounded : number;
}

bool RandomBool(std::mt19937& random) { return random() % 2 == 0; }

// Valid texts of an option. Further ones are tried, but may be rejected.
std::string RandomTextFor(const Option& option, std::mt19937& random) {
  constexpr std::array<std::string_view, 5> kHosts{"127.0.0.1", "localhost", "255.255.255.255", "10.1.2.3", ""};
  constexpr std::array<std::string_view, 5> kPaths{"/metrics", "/m:", "/a,b", "/~!$&'()*+;=@", "/a/b-c_d.e"};
  constexpr std::array<std::string_view, 4> kNetworks{"0.0.0.0/0", "10.0.0.0/8", "127.0.0.1", "1.2.3.4/32"};
  if (option.key == "web.listen_addresses") {
    return std::string(kHosts.at(random() % kHosts.size())) + ':' + std::to_string(1 + random() % 65'535);
  }
  if (option.key == "web.telemetry_path") {
    return std::string(kPaths.at(random() % kPaths.size()));
  }
  return option.key == "web.allow" ? std::string(kNetworks.at(random() % kNetworks.size())) : RandomText(random);
}

std::uint64_t RandomNumberFor(const Option& option, std::mt19937& random) {
  if (const auto* const quantity = std::get_if<QuantityType>(&option.type)) {
    return RandomWithin(random, quantity->min, quantity->max);
  }
  return random() % std::get<WordType>(option.type).names.size();
}

// A list of valid items. Numbers rise, so words occur once.
void FillRandomly(const Option& option, std::mt19937& random, std::vector<std::uint64_t>& numbers) {
  std::set<std::uint64_t> chosen;
  for (std::size_t i = option.list->min_items + random() % option.list->max_items; i > 0; --i) {
    chosen.insert(RandomNumberFor(option, random));
  }
  numbers.assign(chosen.begin(), chosen.end());
  numbers.resize(std::min(numbers.size(), option.list->max_items));
}

void FillRandomly(const Option& option, std::mt19937& random, std::vector<std::string>& texts) {
  const std::size_t items = option.list->min_items + random() % option.list->max_items;
  for (std::size_t tries = 0; tries < items; ++tries) {
    if (const auto* const map = std::get_if<MapType>(&option.type)) {
      const std::vector<std::string> fields{RandomText(random), RandomText(random)};
      if (map->check(fields)) {
        texts.insert(texts.end(), fields.begin(), fields.end());
      }
    } else if (std::string text = RandomTextFor(option, random); ParseScalar(option.type, text, texts)) {
      texts.push_back(std::move(text));
    }
  }
}

OptionValue RandomValue(const Option& option, std::mt19937& random) {
  OptionValue value = option.field.get(Config());
  if (!option.empty_word.empty() && RandomBool(random)) {  // 0, the empty text or the empty list
    return std::visit([](const auto& any) { return OptionValue(std::decay_t<decltype(any)>{}); }, value);
  }
  if (std::holds_alternative<std::uint64_t>(value)) {
    return RandomNumberFor(option, random);
  }
  if (std::holds_alternative<std::string>(value)) {
    std::string text = RandomTextFor(option, random);
    return ParseScalar(option.type, text) ? OptionValue(std::move(text)) : value;
  }
  if (auto* const numbers = std::get_if<std::vector<std::uint64_t>>(&value)) {
    numbers->clear();
    FillRandomly(option, random, *numbers);
  } else {
    auto& texts = std::get<std::vector<std::string>>(value);
    texts.clear();
    FillRandomly(option, random, texts);
  }
  return value;
}

}  // namespace

std::string RandomText(std::mt19937& random) {
  static const std::vector<std::string> kParts{"a",
                                               "Z",
                                               "0",
                                               " ",
                                               ":",
                                               ": ",
                                               "#",
                                               " #",
                                               "-",
                                               "'",
                                               "\"",
                                               "\\\\",
                                               "[",
                                               "]",
                                               "{",
                                               "}",
                                               "(",
                                               ")",
                                               "*",
                                               ".",
                                               "?",
                                               "|",
                                               "^",
                                               "$",
                                               "+",
                                               ",",
                                               "&",
                                               "!",
                                               "%",
                                               "@",
                                               "`",
                                               "\n",
                                               "\t",
                                               "~",
                                               "\r",
                                               "/",
                                               "<",
                                               ">",
                                               "=",
                                               "_",
                                               "null",
                                               "true",
                                               "---",
                                               "\x7f",
                                               "\xC2\x85",
                                               "\xC3\xBC",
                                               "\xE2\x80\xAE",
                                               "\xEF\xBB\xBF",
                                               "\xF0\x9F\x98\x80",
                                               "\xF3\xA0\x80\x81",
                                               std::string(1, '\0')};
  std::string text;
  for (std::size_t i = random() % 8; i > 0; --i) {
    text += kParts.at(random() % kParts.size());
  }
  return text;
}

Config RandomConfig(std::mt19937& random) {
  Config config;
  for (const Option& option : Schema()) {
    option.field.set(RandomValue(option, random), config);
  }
  return config;
}

}  // namespace procevent

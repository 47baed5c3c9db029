#include "config/schema/option.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include "config/schema/effective_config.h"
#include "config/schema/keys.h"
#include "config/yaml/yaml_node.h"

namespace procevent {
namespace {

constexpr std::size_t kMaxListedWords = 4;  // in the placeholder of a flag

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 14 does not deduce it

// "debug, info, warning or error".
std::string JoinWithOr(std::span<const std::string_view> words) {
  if (words.data() == &kBoolNames[0]) {
    return "true or false";
  }
  return JoinWithCommas(words.first(words.size() - 1)) + " or " + std::string(words.back());
}

std::string DescribeBounds(const QuantityType& quantity) {
  return " from " + FormatQuantity(quantity.min, *quantity.kind) + " to " +
         FormatQuantity(quantity.max, *quantity.kind);
}

std::string DescribeType(const ValueType& type, bool is_item) {
  return std::visit(Overloaded{[](const QuantityType& quantity) { return DescribeQuantity(quantity); },
                               [&](const WordType& word) {
                                 return is_item ? "one of " + JoinWithCommas(word.names) : JoinWithOr(word.names);
                               },
                               [](const TextType& text) { return std::string(text.expected); },
                               [](const MapType& map) { return std::string(map.expected); }},
                    type);
}

std::string WithEmptyWord(const Option& option, const std::string& expected) {
  return option.empty_word.empty() ? expected : std::string(option.empty_word) + ", or " + expected;
}

std::string DescribeList(const ListRule& rule, const ValueType& item) {
  std::string text = "a list of ";
  text += rule.min_items == 0 ? "at most " : std::to_string(rule.min_items) + " to ";
  text += std::to_string(rule.max_items) + (rule.rising ? " rising " : " ") + std::string(rule.items);
  if (const auto* const quantity = std::get_if<QuantityType>(&item)) {
    text += DescribeBounds(*quantity);
  } else if (const auto* const word = std::get_if<WordType>(&item)) {
    text += " (" + JoinWithCommas(word->names) + ')';
  }
  return text + ", like " + std::string(rule.example);
}

// Writes one item of a list: a text, or the fields of a map.
std::string FormatItem(const ValueType& type, std::span<const std::string> texts) {
  if (const auto* const map = std::get_if<MapType>(&type)) {
    std::string text;
    for (std::size_t i = 0; i < map->fields.size(); ++i) {
      text.append(text.empty() ? "{" : ", ").append(map->fields[i]).append(": ").append(YamlQuoted(texts[i]));
    }
    return text + '}';
  }
  return YamlText(texts.front());
}

std::string FormatNumber(const ValueType& type, std::uint64_t number) {
  const auto* const word = std::get_if<WordType>(&type);
  return word != nullptr ? std::string(word->names[number])
                         : FormatQuantity(number, *std::get<QuantityType>(type).kind);
}

std::string FormatList(const ValueType& type, const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) {
    text.append(text.empty() ? "" : ", ").append(FormatNumber(type, number));
  }
  return '[' + text + ']';
}

std::string FormatList(const ValueType& type, std::span<const std::string> texts) {
  const auto* const map = std::get_if<MapType>(&type);
  const std::size_t size = map == nullptr ? 1 : map->fields.size();
  std::string text;
  for (; !texts.empty(); texts = texts.subspan(size)) {
    text.append(text.empty() ? "" : ", ").append(FormatItem(type, texts.first(size)));
  }
  return '[' + text + ']';
}

bool IsEmpty(const OptionValue& value) {
  return std::visit(
      Overloaded{[](std::uint64_t number) { return number == 0; }, [](const auto& items) { return items.empty(); }},
      value);
}

}  // namespace

std::optional<std::uint64_t> ParseQuantity(std::string_view text, const QuantityKind& kind) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(rest - text.data());
  if (error != std::errc{} || (digits > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  const auto unit = std::ranges::find(kind.units, text.substr(digits), &Unit::name);
  if (unit == kind.units.end() || number > kMax / unit->factor) {
    return std::nullopt;
  }
  return number * unit->factor;
}

std::string FormatQuantity(std::uint64_t number, const QuantityKind& kind) {
  Unit largest = kind.units.front();
  for (const Unit& unit : kind.units) {
    largest = number != 0 && number % unit.factor == 0 ? unit : largest;
  }
  return std::to_string(number / largest.factor) + std::string(largest.name);
}

bool IsBool(const Option& option) {
  const auto* const word = std::get_if<WordType>(&option.type);
  return word != nullptr && word->names.data() == &kBoolNames[0];
}

std::string FlagOf(const Option& option) {
  std::string flag(option.key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string PlaceholderOf(const Option& option) {
  return std::visit(Overloaded{[](const QuantityType& quantity) { return std::string(quantity.kind->placeholder); },
                               [](const WordType& word) {
                                 return word.names.size() <= kMaxListedWords ? JoinWords(word.names, "|") : "NAME";
                               },
                               [](const auto& type) { return std::string(type.placeholder); }},
                    option.type);
}

std::string DescribeQuantity(const QuantityType& quantity) {
  return "a " + std::string(quantity.kind->noun) + DescribeBounds(quantity) + std::string(quantity.kind->syntax);
}

std::string DescribeExpected(const Option& option) {
  return option.list ? WithEmptyWord(option, DescribeList(*option.list, option.type)) : DescribeExpectedScalar(option);
}

std::string DescribeExpectedScalar(const Option& option) {
  const bool has_example = !option.list && std::holds_alternative<QuantityType>(option.type);
  return WithEmptyWord(option, DescribeExpectedItem(option)) + (has_example ? ", like " + FormatDefault(option) : "");
}

std::string DescribeExpectedItem(const Option& option) { return DescribeType(option.type, option.list.has_value()); }

std::vector<std::string_view> WordsOf(const Option& option) {
  const auto* const word = std::get_if<WordType>(&option.type);
  return word == nullptr ? std::vector<std::string_view>{} : std::vector(word->names.begin(), word->names.end());
}

Result<OptionValue> ParseScalar(const ValueType& type, std::string_view text, std::span<const std::string> earlier) {
  const Error unexplained;
  if (const auto* const quantity = std::get_if<QuantityType>(&type)) {
    const auto number = ParseQuantity(text, *quantity->kind);
    const bool valid = number && *number >= quantity->min && *number <= quantity->max;
    return valid ? Result<OptionValue>(*number) : unexplained;
  }
  if (const auto* const word = std::get_if<WordType>(&type)) {
    const auto name = std::ranges::find(word->names, text == word->synonym.first ? word->synonym.second : text);
    const bool valid = name != word->names.end() && !text.empty();
    return valid ? Result<OptionValue>(static_cast<std::uint64_t>(name - word->names.begin())) : unexplained;
  }
  if (const auto* const free = std::get_if<TextType>(&type)) {
    const Status status = free->check(text, earlier);
    return status ? Result<OptionValue>(std::string(text)) : status.error();
  }
  return unexplained;  // a map is not a scalar
}

bool ReloadApplies(const Option& option, const Config& running, const Config& fresh) {
  switch (option.reload) {
    case ReloadRule::kRestart:
      break;
    case ReloadRule::kIncrease:
      return option.field.get(fresh) > option.field.get(running);
    case ReloadRule::kAny:
      return true;
  }
  return false;
}

std::string FormatValue(const Option& option, const OptionValue& value) {
  if (!option.empty_word.empty() && IsEmpty(value)) {
    return std::string(option.empty_word);
  }
  return std::visit(Overloaded{[&](std::uint64_t number) { return FormatNumber(option.type, number); },
                               [](const std::string& text) { return YamlText(text); },
                               [&](const auto& items) { return FormatList(option.type, items); }},
                    value);
}

std::string FormatDefault(const Option& option) { return FormatValue(option, option.field.get(Config())); }

}  // namespace procevent

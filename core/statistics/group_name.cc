#include "core/statistics/group_name.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <new>
#include <string_view>
#include <utility>

#include "core/base/text.h"

namespace procevent {

LabelValue::LabelValue(std::string_view bytes) {
  while (!bytes.empty()) {
    const PrintablePiece piece(bytes);
    if (size_ + piece.view().size() > bytes_.size()) {
      return;
    }
    std::ranges::copy(piece.view(), bytes_.begin() + size_);
    size_ = static_cast<std::uint8_t>(size_ + piece.view().size());
  }
}

namespace {

constexpr int kMaxCaptures = 10;  // \0 to \9
constexpr std::string_view kUseFewer = "use fewer rules, or smaller repetition counts";

Error Invalid(Cause cause, std::string_view remedy = {}, std::string details = {}) {
  return {"use the name groups", cause, remedy, {}, std::move(details)};
}

Error OutOfMemory() { return Invalid("out of memory", "use fewer rules, or raise the memory limit"); }

// The share of one rule. RE2 never takes more for a compiled expression and the states that matching adds.
std::size_t RuleBytes(std::size_t rules) {
  return std::min(kNameRuleBytes, kNameRulesBytes / std::max<std::size_t>(rules, 1));
}

RE2::Options MatchOptions(std::size_t rules = 1) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // names are bytes; UTF-8 in a rule matches the same bytes
  options.set_dot_nl(true);
  options.set_max_mem(static_cast<std::int64_t>(RuleBytes(rules)));
  return options;
}

re2::StringPiece Piece(const CommName& name) { return {name.view().data(), name.view().size()}; }

}  // namespace

Status ValidateNameGroup(const NameGroup& group) try {
  constexpr std::size_t kMaxBytes = 200;  // of RE2's message
  const RE2 match(group.match, MatchOptions());
  if (!match.ok()) {
    return Invalid("match is not an RE2 expression", {}, QuotePrintable(match.error(), kMaxBytes));
  }
  if (std::string error; !match.CheckRewriteString(group.name, &error)) {
    return Invalid("name has an invalid capture reference", {}, QuotePrintable(error, kMaxBytes));
  }
  if (group.name.empty() || LabelValue(group.name).view() != group.name) {
    return Invalid("name is not 1 to 63 bytes of visible characters");
  }
  if (IsReserved(group.name)) {
    return Invalid("name is reserved");
  }
  return Success{};
} catch (const std::bad_alloc&) {
  return OutOfMemory();
}

Status ValidateNameGroupsSize(std::span<const NameGroup> groups) try {
  constexpr std::size_t kInstructionBytes = 288;  // with the parsed expression; measured
  constexpr std::size_t kMaxInstructions = kNameRulesBytes / kInstructionBytes;
  std::size_t instructions = 0;
  for (const NameGroup& group : groups) {
    const RE2 match(group.match, MatchOptions(groups.size()));
    if (!match.ok()) {
      return Invalid("an expression needs more memory than its share", kUseFewer,
                     QuotePrintable(group.match) + ", " + std::to_string(RuleBytes(groups.size()) >> 10U) +
                         " KiB for each of " + std::to_string(groups.size()) + " rules");
    }
    instructions += static_cast<std::size_t>(std::max(match.ProgramSize(), 0));
  }
  if (instructions > kMaxInstructions) {
    return Invalid("together they compile to too many instructions", kUseFewer,
                   std::to_string(instructions) + " of at most " + std::to_string(kMaxInstructions));
  }
  return Success{};
} catch (const std::bad_alloc&) {
  return OutOfMemory();
}

// The expressions of all rules. Immutable after construction.
class NameGroups::Matcher {
 public:
  explicit Matcher(std::span<const NameGroup> groups) {
    for (const NameGroup& group : groups) {
      int index = 0;
      expressions_.Add(group.match, MatchOptions(groups.size()), &index);
    }
    expressions_.Compile(&literals_);
  }

  // Returns the index of the first rule that matches the whole name, or nothing.
  [[nodiscard]] std::optional<int> FirstMatch(const CommName& name) const {
    if (expressions_.NumRegexps() == 1) {
      return Match(0, name, {}) ? std::optional(0) : std::nullopt;
    }
    std::vector<int> candidates;
    expressions_.AllPotentials(LiteralsIn(name), &candidates);
    std::ranges::sort(candidates);
    const auto first = std::ranges::find_if(candidates, [&](int rule) { return Match(rule, name, {}); });
    return first == candidates.end() ? std::nullopt : std::optional(*first);
  }

  bool Match(int rule, const CommName& name, std::span<re2::StringPiece> captures) const {
    const re2::StringPiece bytes = Piece(name);
    return Expression(rule).Match(bytes, 0, bytes.size(), RE2::ANCHOR_BOTH, captures.data(),
                                  static_cast<int>(captures.size()));
  }

  [[nodiscard]] const RE2& Expression(int rule) const { return expressions_.GetRE2(rule); }

 private:
  // Returns the indexes of the literals that the name contains. RE2 gives the literals in lower case.
  [[nodiscard]] std::vector<int> LiteralsIn(const CommName& name) const {
    std::string lower(name.view());
    std::ranges::transform(lower, lower.begin(), ToLowerAscii);
    std::vector<int> found;
    for (std::size_t i = 0; i < literals_.size(); ++i) {
      if (lower.find(literals_[i]) != std::string::npos) {
        found.push_back(static_cast<int>(i));
      }
    }
    return found;
  }

  re2::FilteredRE2 expressions_;
  std::vector<std::string> literals_;
};

NameGroups::NameGroups(std::span<const NameGroup> groups) {
  assert(std::ranges::all_of(groups, [](const NameGroup& group) { return ValidateNameGroup(group).ok(); }));
  if (!groups.empty()) {
    matcher_ = std::make_shared<const Matcher>(groups);
  }
  for (const NameGroup& group : groups) {
    results_.push_back({group.name, RE2::MaxSubmatch(group.name)});
  }
}

LabelValue NameGroups::LabelOf(const CommName& name) const {
  const std::optional<int> rule = matcher_ ? matcher_->FirstMatch(name) : std::nullopt;
  if (!rule) {
    return LabelValue(name.view());
  }
  const Result& result = results_[static_cast<std::size_t>(*rule)];
  std::array<re2::StringPiece, kMaxCaptures> storage{Piece(name)};  // \0 is the whole name
  const std::span captures = std::span(storage).first(static_cast<std::size_t>(result.captures) + 1);
  if (result.captures > 0) {
    matcher_->Match(*rule, name, captures);
  }
  std::string label;
  matcher_->Expression(*rule).Rewrite(&label, result.name, captures.data(), static_cast<int>(captures.size()));
  return LabelValue(label.empty() || IsReserved(label) ? name.view() : label);
}

}  // namespace procevent

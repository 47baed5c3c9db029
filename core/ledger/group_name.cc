#include "core/ledger/group_name.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>

#include "core/base/text.h"

namespace procevent {

CommLabel::CommLabel(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  while (!bytes.empty()) {
    const std::size_t length = Utf8Length(bytes);
    const bool visible = length != 0 && IsPrintable(bytes, length);
    const auto byte = static_cast<unsigned char>(bytes.front());
    const std::array<char, 4> escaped{'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    if (!Append(visible ? bytes.substr(0, length) : std::string_view(escaped.data(), escaped.size()))) {
      return;
    }
    bytes.remove_prefix(visible ? length : 1);
  }
}

bool CommLabel::Append(std::string_view piece) {
  if (size_ + piece.size() > bytes_.size()) {
    return false;
  }
  std::ranges::copy(piece, bytes_.begin() + size_);
  size_ = static_cast<std::uint8_t>(size_ + piece.size());
  return true;
}

namespace {

constexpr int kMaxCaptures = 10;  // \0 to \9

RE2::Options MatchOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // names are bytes; UTF-8 in a rule matches the same bytes
  options.set_dot_nl(true);
  options.set_max_mem(256 << 10);
  return options;
}

}  // namespace

std::optional<std::string> ValidateNameGroup(const NameGroup& group) {
  const RE2 match(group.match, MatchOptions());
  if (!match.ok()) {
    return "match is not an RE2 expression: " + match.error();
  }
  if (std::string error; !match.CheckRewriteString(group.name, &error)) {
    return "name has an invalid capture reference: " + error;
  }
  if (group.name.empty() || CommLabel(group.name).view() != group.name) {
    return "name is not 1 to 63 bytes of visible characters";
  }
  if (IsReserved(group.name)) {
    return "name is reserved";
  }
  return std::nullopt;
}

NameGroups::NameGroups(std::span<const NameGroup> groups) {
  for (const NameGroup& group : groups) {
    assert(!ValidateNameGroup(group));
    rules_.push_back({std::make_shared<const RE2>(group.match, MatchOptions()), group.name});
  }
}

CommLabel NameGroups::LabelOf(const CommName& name) const {
  const re2::StringPiece bytes(name.view().data(), name.view().size());
  std::array<re2::StringPiece, kMaxCaptures> captures;
  for (const Rule& rule : rules_) {
    const int count = 1 + rule.match->MaxSubmatch(rule.name);
    if (rule.match->Match(bytes, 0, bytes.size(), RE2::ANCHOR_BOTH, captures.data(), count)) {
      std::string label;
      rule.match->Rewrite(&label, rule.name, captures.data(), count);
      return CommLabel(label.empty() || IsReserved(label) ? name.view() : label);
    }
  }
  return CommLabel(name.view());
}

}  // namespace procevent

#include "core/ledger/comm_label.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace procevent {

CommLabel::CommLabel(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  while (!bytes.empty()) {
    const std::size_t length = Utf8Length(bytes);
    const bool shown = length != 0 && IsPrintable(bytes, length);
    const auto byte = static_cast<unsigned char>(bytes.front());
    const std::array<char, 4> escaped{'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    if (!Append(shown ? bytes.substr(0, length) : std::string_view(escaped.data(), escaped.size()))) {
      return;
    }
    bytes.remove_prefix(shown ? length : 1);
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

}  // namespace procevent

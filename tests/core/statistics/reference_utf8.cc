#include "tests/core/statistics/reference_utf8.h"

namespace procevent {
namespace {

struct Form {
  unsigned lead_first, lead_last;
  unsigned second_first, second_last;  // all later bytes are 80 to BF
  std::size_t length;
};
constexpr Form kForms[]{{0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
                        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};

bool Within(char byte, unsigned first, unsigned last) {
  const unsigned value = static_cast<unsigned char>(byte);
  return value >= first && value <= last;
}

bool Fits(std::string_view text, const Form& form) {
  if (text.size() < form.length || !Within(text[0], form.lead_first, form.lead_last)) {
    return false;
  }
  for (std::size_t i = 1; i < form.length; ++i) {
    if (!Within(text[i], i == 1 ? form.second_first : 0x80, i == 1 ? form.second_last : 0xBF)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::size_t WellFormedLength(std::string_view text) {
  for (const Form& form : kForms) {
    if (Fits(text, form)) {
      return form.length;
    }
  }
  return 0;
}

bool IsWellFormed(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = WellFormedLength(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::vector<char32_t> CodePointsOf(std::string_view text) {
  constexpr unsigned kLeadBits[]{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::vector<char32_t> codes;
  for (std::size_t length = 0; !text.empty(); text.remove_prefix(length)) {
    length = WellFormedLength(text);
    if (length == 0) {
      return codes;
    }
    char32_t code = static_cast<unsigned char>(text[0]) & kLeadBits[length];
    for (std::size_t i = 1; i < length; ++i) {
      code = code * 64 + (static_cast<unsigned char>(text[i]) - 0x80U);
    }
    codes.push_back(code);
  }
  return codes;
}

bool IsControl(char32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }

}  // namespace procevent

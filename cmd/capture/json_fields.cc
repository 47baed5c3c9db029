#include "cmd/capture/json_fields.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cmd/capture/line_input.h"
#include "config/schema/keys.h"
#include "config/yaml/config_error.h"
#include "core/protocol/event.h"

namespace procevent {
namespace {

using Json = nlohmann::ordered_json;

std::string ListOf(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) {
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return list;
}

std::string FoundOf(const Json* value) {
  if (value == nullptr) {
    return "nothing";
  }
  if (value->is_string()) {
    return QuotePrintable(value->get_ref<const std::string&>());
  }
  return value->is_array() ? "a list" : value->is_object() ? "an object" : value->dump();
}

const std::string* TextOf(const Json* value) {
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

std::optional<Bytes> BytesOf(const Json* value) {
  const std::string* const text = TextOf(value);
  return text == nullptr ? std::nullopt : DecodeHex(*text);
}

template <typename Integer>
bool Fits(const Json& value) {
  return value.is_number_unsigned() ? std::in_range<Integer>(value.get<std::uint64_t>())
                                    : value.is_number_integer() && std::in_range<Integer>(value.get<std::int64_t>());
}

}  // namespace

const Json* JsonFieldReader::Take(std::string_view key) {
  taken_.push_back(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

void JsonFieldReader::SetFault(std::string_view key, const std::string& found, const std::string& allowed) {
  if (fault_.empty()) {
    fault_ = Describe(procevent::ConfigError{{}, {}, std::string(key), found, allowed});
  }
}

template <typename Integer>
void JsonFieldReader::Whole(std::string_view key, Integer& number) {
  const Json* const value = Take(key);
  if (value != nullptr && Fits<Integer>(*value)) {
    number = value->get<Integer>();
    return;
  }
  using Limits = std::numeric_limits<Integer>;
  SetFault(key, FoundOf(value),
           "a whole number from " + std::to_string(Limits::min()) + " to " + std::to_string(Limits::max()));
}

void JsonFieldReader::Number(std::string_view key, std::int32_t& number) { Whole(key, number); }
void JsonFieldReader::Number(std::string_view key, std::uint32_t& number) { Whole(key, number); }
void JsonFieldReader::Number(std::string_view key, std::uint64_t& number) { Whole(key, number); }

void JsonFieldReader::Comm(std::array<char, kCommSize>& comm) {
  const Json* const value = Take("comm");
  const Json* const hex = Take("comm_hex");
  const std::string* const text = TextOf(value);
  if (hex != nullptr) {
    CommHex(*hex, comm);
  } else if (text != nullptr && text->size() < comm.size() && text->find('\0') == std::string::npos) {
    std::ranges::copy(*text, comm.begin());
    return;
  }
  if (hex == nullptr || (value != nullptr && text == nullptr)) {
    SetFault("comm", FoundOf(value), "a text of at most 15 bytes without NUL, or any text and comm_hex");
  }
}

void JsonFieldReader::CommHex(const Json& value, std::array<char, kCommSize>& comm) {
  const std::optional<Bytes> bytes = BytesOf(&value);
  if (bytes && bytes->size() == comm.size()) {
    std::ranges::transform(*bytes, comm.begin(), [](std::byte byte) { return std::to_integer<char>(byte); });
  } else {
    SetFault("comm_hex", FoundOf(&value), "16 bytes as 32 hex digits");
  }
}

void JsonFieldReader::RawWaitStatus(std::uint32_t wait_status) {
  const WaitStatus ending = DecodeWaitStatus(wait_status);
  const Json none;
  const bool killed = ending.signal != 0;
  const std::array<std::pair<std::string_view, Json>, 3> derived{
      {{"status", killed ? none : Json(ending.status)},
       {"signal", killed ? Json(ending.signal) : none},
       {"core_dumped", killed ? Json(ending.core_dumped) : none}}};
  for (const auto& [key, expected] : derived) {
    const Json* const value = Take(key);
    if (value != nullptr && (expected.is_null() || value->is_number_float() || *value != expected)) {
      SetFault(
          key, FoundOf(value),
          (expected.is_null() ? "none" : expected.dump()) + std::string(", as exit_code says, or to leave it out"));
    }
  }
}

void JsonFieldReader::Payload(std::span<const std::byte>& payload) {
  constexpr std::size_t kMostBytes = 0xFFFF - 16;  // the connector's length has 16 bits, and an event has a header
  const Json* const value = Take("payload");
  const std::optional<Bytes> bytes = BytesOf(value);
  if (!bytes || bytes->size() > kMostBytes) {
    SetFault("payload", FoundOf(value), "an even number of hex digits, at most " + std::to_string(2 * kMostBytes));
    return;
  }
  payload_ = *bytes;
  payload = payload_;
}

std::optional<std::size_t> JsonFieldReader::ReadChoice(std::string_view key, std::span<const std::string_view> words) {
  const Json* const value = Take(key);
  const std::string* const text = TextOf(value);
  const auto word = text == nullptr ? words.end() : std::ranges::find(words, *text);
  if (word != words.end()) {
    return static_cast<std::size_t>(word - words.begin());
  }
  keys_known_ = false;
  SetFault(key, FoundOf(value),
           "one of " + ListOf(words) + (text == nullptr ? "" : DidYouMean(SuggestWord(*text, words))));
  return std::nullopt;
}

std::string JsonFieldReader::Fault() const {
  for (const auto& [key, value] : object_.items()) {
    if (keys_known_ && std::ranges::find(taken_, key) == taken_.end()) {
      return Describe(procevent::ConfigError{{},
                                             {},
                                             key.empty() ? "\"\"" : EscapeUnprintable(key),
                                             "an unknown key",
                                             "one of " + ListOf(taken_) + DidYouMean(SuggestWord(key, taken_))});
    }
  }
  return fault_;
}

}  // namespace procevent

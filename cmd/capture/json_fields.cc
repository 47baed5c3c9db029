#include "cmd/capture/json_fields.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cmd/capture/line_input.h"
#include "config/schema/keys.h"
#include "core/base/text.h"
#include "core/protocol/event.h"
#include "core/statistics/group_name.h"

namespace procevent {
namespace {

using Json = nlohmann::ordered_json;

std::string DescribeProblem(const Json* value) {
  if (value == nullptr) {
    return "missing key";
  }
  if (value->is_array() || value->is_object()) {
    return value->is_array() ? "unexpected list" : "unexpected object";
  }
  return value->is_string() ? InvalidValue(value->get_ref<const std::string&>()) : "invalid value " + value->dump();
}

const std::string* GetText(const Json* value) {
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

std::optional<Bytes> GetBytes(const Json* value) {
  const std::string* const text = GetText(value);
  return text == nullptr ? std::nullopt : DecodeHex(*text);
}

template <typename Integer>
bool Fits(const Json& value) {
  return value.is_number_unsigned() ? std::in_range<Integer>(value.get<std::uint64_t>())
                                    : value.is_number_integer() && std::in_range<Integer>(value.get<std::int64_t>());
}

// True if the JSON text of the name determines all of its bytes: printable, and only zeros after the name.
bool IsPlain(const std::array<char, kCommSize>& comm) {
  const CommName name(comm);
  std::array<char, kCommSize> zero_padded{};
  std::ranges::copy(name.view(), zero_padded.begin());
  return comm == zero_padded && LabelValue(name.view()).view() == name.view();
}

}  // namespace

void WriteComm(Json& object, const std::array<char, kCommSize>& comm) {
  object["comm"] = LabelValue(CommName(comm).view()).view();
  if (!IsPlain(comm)) {
    object["comm_hex"] = EncodeHex(std::as_bytes(std::span(comm)));
  }
}

const Json* JsonFieldReader::ReadValue(std::string_view key) {
  read_keys_.push_back(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

void JsonFieldReader::SetError(std::string_view key, std::string problem, std::string expected) {
  if (!error_) {
    error_ = InputError{.key = std::string(key), .problem = std::move(problem), .expected = std::move(expected)};
  }
}

void JsonFieldReader::SetInvalid(std::string_view key, const std::string& value, const std::string& expected) {
  SetError(key, "invalid value " + value, expected);
}

template <typename Integer>
void JsonFieldReader::ReadInteger(std::string_view key, Integer& number) {
  const Json* const value = ReadValue(key);
  if (value != nullptr && Fits<Integer>(*value)) {
    number = value->get<Integer>();
    return;
  }
  using Limits = std::numeric_limits<Integer>;
  SetError(key, DescribeProblem(value),
           "a whole number from " + std::to_string(Limits::min()) + " to " + std::to_string(Limits::max()));
}

void JsonFieldReader::Number(std::string_view key, std::int32_t& number) { ReadInteger(key, number); }
void JsonFieldReader::Number(std::string_view key, std::uint32_t& number) { ReadInteger(key, number); }
void JsonFieldReader::Number(std::string_view key, std::uint64_t& number) { ReadInteger(key, number); }

void JsonFieldReader::Comm(std::array<char, kCommSize>& comm) {
  const Json* const value = ReadValue("comm");
  const Json* const hex = ReadValue("comm_hex");
  const std::string* const text = GetText(value);
  if (hex != nullptr) {
    ReadCommHex(*hex, comm);
  } else if (text != nullptr && text->size() < comm.size() && text->find('\0') == std::string::npos) {
    std::ranges::copy(*text, comm.begin());
    return;
  }
  if (hex == nullptr || (value != nullptr && text == nullptr)) {
    SetError("comm", DescribeProblem(value), "a text of at most 15 bytes without NUL, or any text and comm_hex");
  }
}

void JsonFieldReader::ReadCommHex(const Json& value, std::array<char, kCommSize>& comm) {
  const std::optional<Bytes> bytes = GetBytes(&value);
  if (bytes && bytes->size() == comm.size()) {
    std::ranges::transform(*bytes, comm.begin(), [](std::byte byte) { return std::to_integer<char>(byte); });
  } else {
    SetError("comm_hex", DescribeProblem(&value), "16 bytes as 32 hex digits");
  }
}

void JsonFieldReader::RawWaitStatus(std::uint32_t wait_status) {
  const WaitStatus decoded = DecodeWaitStatus(wait_status);
  const Json none;
  const bool killed = decoded.signal != 0;
  const std::array<std::pair<std::string_view, Json>, 3> derived{
      {{"status", killed ? none : Json(decoded.status)},
       {"signal", killed ? Json(decoded.signal) : none},
       {"core_dumped", killed ? Json(decoded.core_dumped) : none}}};
  for (const auto& [key, expected] : derived) {
    const Json* const value = ReadValue(key);
    if (value != nullptr && (expected.is_null() || value->is_number_float() || *value != expected)) {
      SetError(key, DescribeProblem(value),
               expected.is_null() ? "no key, because exit_code has none"
                                  : expected.dump() + ", the value that follows from exit_code, or no key");
    }
  }
}

void JsonFieldReader::Payload(std::span<const std::byte>& payload) {
  constexpr std::size_t kMaxBytes = 0xFFFF - 16;  // the connector's 16-bit length includes the event header
  const Json* const value = ReadValue("payload");
  const std::optional<Bytes> bytes = GetBytes(value);
  if (!bytes || bytes->size() > kMaxBytes) {
    SetError("payload", DescribeProblem(value),
             "an even number of hex digits, at most " + std::to_string(2 * kMaxBytes));
    return;
  }
  payload_ = *bytes;
  payload = payload_;
}

std::optional<std::size_t> JsonFieldReader::ReadChoice(std::string_view key, std::span<const std::string_view> words) {
  const Json* const value = ReadValue(key);
  const std::string* const text = GetText(value);
  const auto word = text == nullptr ? words.end() : std::ranges::find(words, *text);
  if (word != words.end()) {
    return static_cast<std::size_t>(word - words.begin());
  }
  keys_known_ = false;
  SetError(key, DescribeProblem(value),
           "one of " + JoinWithCommas(words) + (text == nullptr ? "" : DidYouMean(SuggestWord(*text, words))));
  return std::nullopt;
}

InputStatus JsonFieldReader::Check() const {
  for (const auto& [key, value] : object_.items()) {
    if (keys_known_ && std::ranges::find(read_keys_, key) == read_keys_.end()) {
      return InputError{.problem = "unknown key " + QuotePrintable(key),
                        .expected = "one of " + JoinWithCommas(read_keys_) + DidYouMean(SuggestWord(key, read_keys_))};
    }
  }
  return error_ ? InputStatus(*error_) : Success{};
}

}  // namespace procevent

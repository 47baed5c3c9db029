// The keys of one JSON object, taken one by one, and the fault that it has. Used by json_datagram.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/encoder.h"
#include "core/protocol/event.h"

namespace procevent {

class KeyReader {
 public:
  // The object must outlive this.
  explicit KeyReader(const nlohmann::ordered_json& object) : object_(object) {}

  [[nodiscard]] bool Has(std::string_view key) const { return object_.contains(key); }

  // As EventKeys calls them. What is wrong is left as it is; Fault tells.
  void Number(std::string_view key, std::int32_t& number);
  void Number(std::string_view key, std::uint32_t& number);
  void Number(std::string_view key, std::uint64_t& number);
  void Comm(std::array<char, kCommSize>& comm);
  void Ending(std::uint32_t wait_status);  // what is derived from it may be missing, but not contradict
  void Payload(std::span<const std::byte>& payload);

  // Which of these words it is. Nothing: none of them, and what the other keys should be is not known.
  std::optional<std::size_t> Word(std::string_view key, std::span<const std::string_view> words);

  void Refuse(std::string_view key, const std::string& found, const std::string& allowed);

  // Once all is taken; empty if all is well. A key that nobody took is told first: it may be another one misspelt.
  [[nodiscard]] std::string Fault() const;

 private:
  using Json = nlohmann::ordered_json;

  const Json* Take(std::string_view key);
  template <typename Integer>
  void Whole(std::string_view key, Integer& number);
  void CommHex(const Json& value, std::array<char, kCommSize>& comm);

  const Json& object_;
  std::vector<std::string_view> taken_;
  std::string fault_;
  bool keys_known_ = true;
  Bytes payload_;  // what an unknown event's payload is a view of
};

}  // namespace procevent

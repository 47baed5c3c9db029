#include "cmd/encode.h"

#include <variant>

#include "cmd/answer_lines.h"
#include "cmd/hex.h"
#include "cmd/json_datagram.h"
#include "cmd/output.h"

namespace procevent {
namespace {

std::string AnswerJson(std::string_view line, std::string& out) {
  const std::variant<Bytes, std::string> datagram = DatagramOf(line);
  if (const auto* const fault = std::get_if<std::string>(&datagram)) {
    return *fault;
  }
  out += HexOf(std::get<Bytes>(datagram)) + '\n';
  return {};
}

}  // namespace

int Encode(const std::string& file) {
  OpenStandardDescriptors();
  return AnswerLines(file, AnswerJson);
}

}  // namespace procevent

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "cmd/dispatch.h"
#include "tests/cmd/cli/error_rows.h"
#include "tests/config/loaded_errors.h"

namespace procevent {
namespace {

// Matches the line of a row. A suggestion that the row does not expect is a mismatch.
MATCHER_P(IsErrorOf, row, "") {
  const std::string start = row.place.empty() ? row.problem : row.place + ": ";
  if (!arg.starts_with(start)) {
    *result_listener << "which does not begin with " << start;
    return false;
  }
  Words parts{row.problem};
  parts.insert(parts.end(), row.expected.begin(), row.expected.end());
  parts.push_back(row.hint);
  std::size_t begin = row.place.size();
  for (const std::string& part : parts) {
    const std::size_t found = arg.find(part, begin);
    if (found == std::string::npos) {
      *result_listener << "which lacks " << part << " after byte " << begin;
      return false;
    }
    begin = found + part.size();
  }
  const bool suggests = arg.find("did you mean") != std::string::npos;
  return suggests == row.hint.starts_with("did you mean");
}

// Runs in a temporary directory, so that the file has a short name.
class ErrorTest : public testing::TestWithParam<ErrorRow> {
 protected:
  ErrorTest() {
    std::string name = testing::TempDir() + "procevent_errors_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    std::filesystem::current_path(folder_);
  }
  ~ErrorTest() override {
    std::filesystem::current_path(original_folder_);
    std::filesystem::remove_all(folder_);
  }

  static std::vector<std::string> LinesFor(const ErrorRow& row) {
    Arguments arguments{"procevent_exporter"};
    Variables variables;
    if (const auto* const file = std::get_if<std::string>(&row.given)) {
      std::ofstream("f.yml", std::ios::binary) << *file;
      arguments.emplace_back("--config.file=f.yml");
    } else if (const auto* const environment = std::get_if<Variables>(&row.given)) {
      variables = *environment;
    } else {
      arguments.insert(arguments.end(), std::get<Arguments>(row.given).begin(), std::get<Arguments>(row.given).end());
    }
    std::vector<const char*> pointers;
    std::ranges::transform(arguments, std::back_inserter(pointers), &std::string::c_str);
    const auto flags = ParseFlags(pointers);
    return flags ? DescribeErrors(Configure(flags.value(), variables)) : Arguments{Describe(flags.error().error)};
  }

 private:
  std::filesystem::path original_folder_ = std::filesystem::current_path();
  std::string folder_;
};

TEST_P(ErrorTest, PrintsOneLine) { EXPECT_THAT(LinesFor(GetParam()), testing::ElementsAre(IsErrorOf(GetParam()))); }

constexpr auto kRowName = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(Quantities, ErrorTest, testing::ValuesIn(QuantityRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Web, ErrorTest, testing::ValuesIn(WebRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Words, ErrorTest, testing::ValuesIn(WordRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Keys, ErrorTest, testing::ValuesIn(KeyRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Counting, ErrorTest, testing::ValuesIn(CountingRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(TlsSettings, ErrorTest, testing::ValuesIn(TlsSettingRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Variables, ErrorTest, testing::ValuesIn(VariableRows()), kRowName);
INSTANTIATE_TEST_SUITE_P(Flags, ErrorTest, testing::ValuesIn(FlagRows()), kRowName);

}  // namespace
}  // namespace procevent

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "cmd/dispatch.h"
#include "tests/cmd/cli/fault_rows.h"
#include "tests/config/config_error_lines.h"

namespace procevent {
namespace {

// In a folder of its own, so that the file has a short name.
class FaultTest : public testing::TestWithParam<FaultRow> {
 protected:
  FaultTest() {
    std::string name = testing::TempDir() + "procevent_faults_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    std::filesystem::current_path(folder_);
  }
  ~FaultTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }

  static std::vector<std::string> LinesFor(const FaultRow& row) {
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
    const Flags flags = ParseFlags(pointers);
    if (flags.command == Flags::Command::kExit) {
      return {flags.err.substr(0, flags.err.find("\nusage: "))};
    }
    return DescribeErrors(Configure(flags, variables));
  }

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
  std::string folder_;
};

TEST_P(FaultTest, IsOneLine) { EXPECT_THAT(LinesFor(GetParam()), testing::ElementsAre(GetParam().line)); }

constexpr auto kName = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(Quantities, FaultTest, testing::ValuesIn(QuantityRows()), kName);
INSTANTIATE_TEST_SUITE_P(Web, FaultTest, testing::ValuesIn(WebRows()), kName);
INSTANTIATE_TEST_SUITE_P(Words, FaultTest, testing::ValuesIn(WordRows()), kName);
INSTANTIATE_TEST_SUITE_P(Keys, FaultTest, testing::ValuesIn(KeyRows()), kName);
INSTANTIATE_TEST_SUITE_P(Ledger, FaultTest, testing::ValuesIn(LedgerRows()), kName);
INSTANTIATE_TEST_SUITE_P(ReverseProxy, FaultTest, testing::ValuesIn(ReverseProxyRows()), kName);
INSTANTIATE_TEST_SUITE_P(Variables, FaultTest, testing::ValuesIn(VariableRows()), kName);
INSTANTIATE_TEST_SUITE_P(Flags, FaultTest, testing::ValuesIn(FlagRows()), kName);

}  // namespace
}  // namespace procevent

// Checks the table of keys on docs/configuration.md against the schema. With PROCEVENT_REFRESH_GOLDEN=1 the test writes
// the table. People write the rest of the page.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

#include "config/schema/option.h"
#include "config/schema/schema.h"

namespace procevent {
namespace {

constexpr const char* kPage = "docs/configuration.md";
constexpr std::string_view kBegin = "<!-- keys: begin -->\n";
constexpr std::string_view kEnd = "<!-- keys: end -->\n";

// The expected value without the syntax and the default of a number, which the page states elsewhere.
std::string ValueText(const Option& option) {
  const std::string text = DescribeExpected(option);
  const auto* const quantity = std::get_if<QuantityType>(&option.type);
  return quantity == nullptr || option.list ? text : text.substr(0, text.find(quantity->kind->syntax));
}

constexpr std::array<std::string_view, 3> kReloadTexts{"restart", "applied if larger", "applied"};  // by ReloadRule

std::string RenderTable() {
  std::string table = "\n| key | value | default | reload | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const Option& option : Schema()) {
    table += "| `" + std::string(option.key) + "` | " + ValueText(option) + " | `" + FormatDefault(option) + "` | " +
             std::string(kReloadTexts.at(static_cast<std::size_t>(option.reload))) + " | " + std::string(option.help) +
             " |\n";
  }
  return table + '\n';
}

// The page with the table of the schema. Unchanged if it lacks a marker.
std::string Refresh(std::string page) {
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  if (begin != std::string::npos && end != std::string::npos && begin < end) {
    page.replace(begin + kBegin.size(), end - begin - kBegin.size(), RenderTable());
  }
  return page;
}

bool IsCurrent(const std::string& page) {
  return page.find(std::string(kBegin) + RenderTable() + std::string(kEnd)) != std::string::npos;
}

std::string ReadPage() {
  std::ifstream file(kPage);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ConfigurationPageTest, HasTheTableOfTheSchema) {
  std::string page = ReadPage();
  if (std::getenv("PROCEVENT_REFRESH_GOLDEN") != nullptr) {
    page = Refresh(page);
    std::ofstream(kPage) << page;
  }
  EXPECT_TRUE(IsCurrent(page)) << "run this test with PROCEVENT_REFRESH_GOLDEN=1 to write the table of " << kPage;
}

TEST(ConfigurationPageTest, TableIsOneRowPerKey) {
  const std::string table = RenderTable();
  EXPECT_EQ(std::ranges::count(table, '\n'), static_cast<std::ptrdiff_t>(Schema().size()) + 4);
  EXPECT_NE(
      table.find("\n| `web.max_requests` | a whole number from 1 to 64 | `40` | restart | Scrapes served at once"),
      std::string::npos);
  EXPECT_NE(table.find("\n| `log.level` | debug, info, warning or error | `info` | applied | "), std::string::npos);
}

TEST(ConfigurationPageTest, DeviationsAreFoundAndRefreshed) {
  const std::string page = Refresh(ReadPage());
  for (const auto& [old_text, new_text] : {std::pair<std::string, std::string>{"| `40` |", "| `41` |"},
                                           {" | applied | ", " | restart | "},
                                           {"| `log.level` |", "| `log.lvl` |"},
                                           {std::string(kEnd), "\n" + std::string(kEnd)}}) {
    std::string outdated = page;
    outdated.replace(outdated.find(old_text), old_text.size(), new_text);
    EXPECT_FALSE(IsCurrent(outdated)) << new_text;
    EXPECT_EQ(Refresh(outdated), page) << new_text;
  }
  EXPECT_FALSE(IsCurrent(""));
  EXPECT_EQ(Refresh("no table\n"), "no table\n");
}

}  // namespace
}  // namespace procevent

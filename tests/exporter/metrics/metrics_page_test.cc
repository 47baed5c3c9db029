// Checks docs/metrics.md against the catalogue: its table, and the section of each metric. People write the page, except
// for the table and the first paragraph of a section, which is HELP word for word. With PROCEVENT_REFRESH_GOLDEN=1 the
// test rewrites these two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/catalogue.h"

namespace procevent {
namespace {

constexpr std::string_view kTableBegin = "<!-- table: begin -->\n\n";
constexpr std::string_view kTableEnd = "\n<!-- table: end -->\n";
constexpr std::string_view kHeading = "\n### ";
constexpr std::size_t kMaxColumns = 120;

// "1 per CPU".
std::string BoundText(const Metric& metric) {
  std::string count = std::to_string(metric.max_series.count);
  const auto histogram = [&](const std::string& key) {
    return std::to_string(MaxSeries(metric, LedgerOptions{}, 1)) + ", or this per command with `" + key + ".by_group`";
  };
  switch (metric.max_series.scope) {
    case SeriesScope::kCpu:
      return count + " per CPU";
    case SeriesScope::kGroup:
      return count + " per command";
    case SeriesScope::kExitCodes:
      return histogram("histograms.exit_code");
    case SeriesScope::kLifetimes:
      return histogram("histograms.lifetime");
    case SeriesScope::kExporter:
      break;
  }
  return count;
}

// "`comm`, `outcome`" from "comm, outcome".
std::string LabelsText(const Metric& metric) {
  const SeriesScope scope = metric.max_series.scope;
  if (scope == SeriesScope::kExitCodes || scope == SeriesScope::kLifetimes) {
    return "`comm`, if configured";
  }
  std::string text;
  for (const char c : metric.labels) {
    text += c == ',' ? "`," : c == ' ' ? " `" : std::string(1, c);
  }
  return text.empty() ? text : '`' + text + '`';
}

std::string RenderTable() {
  constexpr std::array<std::string_view, 3> kTypes{"counter", "gauge", "histogram"};
  const LedgerOptions defaults;
  std::ostringstream table;
  table << "| name | type | unit | labels | maximum series |\n| --- | --- | --- | --- | --- |\n";
  for (const Metric& metric : kCatalogue) {
    table << "| [`" << metric.name << "`](#" << metric.name << ") | "
          << kTypes.at(static_cast<std::size_t>(metric.type)) << " | " << metric.unit << " | " << LabelsText(metric)
          << " | " << BoundText(metric) << " |\n";
  }
  table << "\nWith the defaults (`groups.limit` " << defaults.group_limit << ") and 8 CPUs the maximum is "
        << MaxSeries(defaults, 8) << " series.\n";
  return table.str();
}

// A part of the page.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::string In(const std::string& page) const { return page.substr(begin, end - begin); }
};

Range FindTable(const std::string& page) {
  const std::size_t begin = std::min(page.find(kTableBegin), page.size() - kTableBegin.size()) + kTableBegin.size();
  return {begin, std::min(page.find(kTableEnd, begin), page.size())};
}

struct Section {
  std::string name;  // the heading
  Range body;        // from the line end of the heading
};

std::vector<Section> FindSections(const std::string& page) {
  std::vector<Section> sections;
  for (std::size_t at = page.find(kHeading); at != std::string::npos; at = page.find(kHeading, at + 1)) {
    const std::size_t name = at + kHeading.size();
    const std::size_t body = std::min(page.find('\n', name), page.size());
    const std::size_t end = std::min({page.find("\n## ", body), page.find(kHeading, body), page.size()});
    sections.push_back({page.substr(name, body - name), {body, end}});
  }
  return sections;
}

// Empty if the section begins with something else than a description.
Range FindFirstParagraph(const std::string& page, const Section& section) {
  const std::size_t begin = std::min(page.find_first_not_of('\n', section.body.begin), section.body.end);
  const std::string rest = Range{begin, section.body.end}.In(page);
  const bool described = !rest.starts_with("```") && !rest.starts_with("Investigate when ");
  return {begin, described ? std::min(page.find("\n\n", begin), section.body.end) : begin};
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::istringstream words{std::string(text)};
  return {std::istream_iterator<std::string>(words), {}};
}

std::string Wrap(std::string_view text) {
  std::string lines;
  std::size_t column = 0;
  for (const std::string& word : WordsOf(text)) {
    const bool fits = column + 1 + word.size() <= kMaxColumns;
    lines += (lines.empty() ? "" : fits ? " " : "\n") + word;
    column = lines.size() - (lines.rfind('\n') + 1);
  }
  return lines;
}

bool HasQueryOf(std::string_view name, const std::string& section) {
  const std::size_t query = section.find("\n```promql\n");
  return query != std::string::npos && section.find(name, query) < section.find("\n```\n", query + 1);
}

const Metric* FindByName(const std::string& name) {
  const auto* const metric = std::ranges::find(kCatalogue, name, &Metric::name);
  return metric == kCatalogue.end() ? nullptr : metric;
}

void CheckSection(const std::string& page, const Section& section, std::vector<std::string>& problems) {
  const Metric* const metric = FindByName(section.name);
  if (metric == nullptr) {
    problems.push_back(section.name + ": not in the catalogue");
    return;
  }
  if (WordsOf(FindFirstParagraph(page, section).In(page)) != WordsOf(metric->help)) {
    problems.push_back(section.name + ": first paragraph is not HELP");
  }
  if (!HasQueryOf(section.name, section.body.In(page) + '\n')) {
    problems.push_back(section.name + ": no example query");
  }
}

std::vector<std::string> FindProblems(const std::string& page) {
  std::vector<std::string> problems;
  if (FindTable(page).In(page) != RenderTable()) {
    problems.emplace_back("the table is not that of the catalogue");
  }
  const std::vector<Section> sections = FindSections(page);
  for (const Metric& metric : kCatalogue) {
    if (std::ranges::find(sections, metric.name, &Section::name) == sections.end()) {
      problems.push_back(std::string(metric.name) + ": no section");
    }
  }
  for (const Section& section : sections) {
    CheckSection(page, section, problems);
  }
  if (problems.empty() && !std::ranges::equal(sections, kCatalogue, {}, &Section::name, &Metric::name)) {
    problems.emplace_back("the sections are not in the order of the catalogue");
  }
  return problems;
}

// Writes the table and the first paragraphs. Everything else stays as it is.
std::string Refresh(std::string page) {
  const std::vector<Section> sections = FindSections(page);
  for (auto section = sections.rbegin(); section != sections.rend(); ++section) {  // the positions before stay valid
    if (const Metric* const metric = FindByName(section->name)) {
      const Range old = FindFirstParagraph(page, *section);
      page.replace(old.begin, old.end - old.begin, Wrap(metric->help) + (old.begin == old.end ? "\n\n" : ""));
    }
  }
  const Range table = FindTable(page);
  return page.replace(table.begin, table.end - table.begin, RenderTable());
}

std::string ReadPage() {
  std::ifstream file("docs/metrics.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(MetricsPageTest, HasTheTableAndOneSectionForEachMetricOfTheCatalogue) {
  std::string page = ReadPage();
  if (std::getenv("PROCEVENT_REFRESH_GOLDEN") != nullptr) {
    page = Refresh(page);
    std::ofstream("docs/metrics.md") << page;
  }
  EXPECT_THAT(FindProblems(page), testing::IsEmpty())
      << "describe each metric in docs/metrics.md, then run this test with PROCEVENT_REFRESH_GOLDEN=1";
}

struct Deviation {
  std::string name;
  std::string old_text;  // of the page
  std::string new_text;
  std::vector<std::string> problems;
};

class MetricsPageDeviationTest : public testing::TestWithParam<Deviation> {};

TEST_P(MetricsPageDeviationTest, IsFound) {
  std::string page = Refresh(ReadPage());
  const std::size_t at = page.find(GetParam().old_text);
  ASSERT_NE(at, std::string::npos);
  page.replace(at, GetParam().old_text.size(), GetParam().new_text);
  EXPECT_EQ(FindProblems(page), GetParam().problems);
}

INSTANTIATE_TEST_SUITE_P(
    All, MetricsPageDeviationTest,
    testing::Values(
        Deviation{"TableRow", "| gauge | boolean |", "| gauge | seconds |", {"the table is not that of the catalogue"}},
        Deviation{"NoTable", "<!-- table: begin -->", "", {"the table is not that of the catalogue"}},
        Deviation{"FirstParagraph",
                  "Programs executed, by",
                  "Programs started, by",
                  {"procevent_execs_total: first paragraph is not HELP"}},
        Deviation{"NoSection", "### procevent_pending\n", "\n", {"procevent_pending: no section"}},
        Deviation{"OtherMetric",
                  "### procevent_pending\n",
                  "### procevent_waiting\n",
                  {"procevent_pending: no section", "procevent_waiting: not in the catalogue"}},
        Deviation{"NoQuery", "```promql\nprocevent_processes\n```\n", "", {"procevent_processes: no example query"}},
        Deviation{"QueryOfAnotherMetric",
                  "```promql\nprocevent_processes\n```\n",
                  "```promql\nprocevent_threads\n```\n",
                  {"procevent_processes: no example query"}},
        Deviation{"TwoSections",
                  "\n## Invariants",
                  "\n### procevent_processes\n\nProcesses in the process table, which are the living ones.\n\n"
                  "```promql\nprocevent_processes\n```\n\n## Invariants",
                  {"the sections are not in the order of the catalogue"}}),
    [](const auto& row) { return row.param.name; });

TEST(MetricsPageTest, FindsSectionsInAnotherOrder) {
  std::string page = Refresh(ReadPage());
  const std::vector<Section> sections = FindSections(page);
  const std::string moved = page.substr(sections.at(0).body.end, sections.at(1).body.end - sections.at(0).body.end);
  page.insert(sections.at(2).body.end, moved);
  page.erase(sections.at(0).body.end, moved.size());
  EXPECT_THAT(FindProblems(page), testing::ElementsAre("the sections are not in the order of the catalogue"));
}

TEST(MetricsPageTest, RefreshWritesOnlyTheTableAndFirstParagraphs) {
  const std::string page = Refresh(ReadPage());
  EXPECT_EQ(Refresh(page), page);
  std::string outdated = page;
  const std::string row = "| [`process_threads`](#process_threads) | gauge | threads |  | 1 |\n";
  outdated.erase(outdated.find(row), row.size());
  const std::string paragraph = "Programs executed, by the name of the new program.";
  outdated.replace(outdated.find(paragraph), paragraph.size(), "Other\nwords.");
  const std::string before_query = "Processes in the process table, which are the living ones.\n\n";
  outdated.erase(outdated.find(before_query), before_query.size());
  const std::string details = "No series with an event mask that lacks fork, exec or exit.\n\n";
  outdated.erase(outdated.find(details, outdated.find("### procevent_processes\n")), details.size());
  std::string expected = page;
  expected.erase(expected.find(details, expected.find("### procevent_processes\n")), details.size());
  EXPECT_EQ(Refresh(outdated), expected);
}

}  // namespace
}  // namespace procevent

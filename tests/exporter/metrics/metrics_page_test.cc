// Checks docs/metrics.md against the catalogue: the row of each metric, an example query for it in the same section,
// and the bound of all series. With PROCEVENT_REFRESH_GOLDEN=1 the test rewrites the rows and the bound where they
// stand. A new metric starts as a row with its name only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
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

constexpr const char* kPage = "docs/metrics.md";
constexpr std::string_view kTableHeader = "| name | type | unit | labels | maximum series | meaning |";
constexpr std::string_view kRowBegin = "| `";
constexpr std::string_view kBoundBegin = "With the defaults (";

// "1 per CPU".
std::string BoundText(const Metric& metric) {
  std::string count = std::to_string(metric.max_series.count);
  const auto histogram = [&](const std::string& key) {
    return std::to_string(MaxSeries(metric, CountingOptions{}, 1)) + ", or this per command with `" + key +
           ".by_group`";
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

std::string RenderRow(const Metric& metric) {
  constexpr std::array<std::string_view, 3> kTypes{"counter", "gauge", "histogram"};
  std::ostringstream row;
  row << kRowBegin << metric.name << "` | " << kTypes.at(static_cast<std::size_t>(metric.type)) << " | " << metric.unit
      << " | " << LabelsText(metric) << " | " << BoundText(metric) << " | " << metric.help << " |";
  return row.str();
}

std::string RenderBound() {
  const CountingOptions defaults;
  return std::string(kBoundBegin) + "`groups.limit` " + std::to_string(defaults.group_limit) +
         ") and 8 CPUs the maximum is " + std::to_string(MaxSeries(defaults, 8)) + " series.";
}

std::vector<std::string> SplitLines(const std::string& page) {
  std::vector<std::string> lines;
  std::istringstream text(page);
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  return lines;
}

struct Row {
  std::string name;
  std::size_t line = 0;  // its index
  std::string section;   // the heading above the row
};

struct Contents {
  std::vector<Row> rows;                                     // of the tables of metrics
  std::vector<std::pair<std::string, std::string>> queries;  // section, and a line of PromQL without its comment
  std::vector<std::size_t> bounds;                           // the lines that state the bound of all series
};

// The metric of a row, or the whole row if it does not begin with a name.
std::string NameOf(const std::string& row) {
  return row.starts_with(kRowBegin) ? row.substr(kRowBegin.size(), row.find('`', kRowBegin.size()) - kRowBegin.size())
                                    : row;
}

Contents Scan(const std::vector<std::string>& lines) {
  Contents contents;
  std::string section;
  bool in_table = false;
  bool in_query = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.starts_with("```")) {
      in_query = line == "```promql";
    } else if (in_query) {
      contents.queries.emplace_back(section, line.substr(0, line.find('#')));
    } else if (line.starts_with("## ")) {
      section = line;
    } else if (line.starts_with(kBoundBegin)) {
      contents.bounds.push_back(i);
    }
    const bool is_separator = line.starts_with("| ---");
    if (in_table && line.starts_with("|") && !is_separator) {
      contents.rows.push_back({NameOf(line), i, section});
    }
    in_table = line == kTableHeader || (in_table && line.starts_with("|"));
  }
  return contents;
}

const Metric* FindByName(const std::string& name) {
  const auto* const metric = std::ranges::find(kCatalogue, name, &Metric::name);
  return metric == kCatalogue.end() ? nullptr : metric;
}

bool IsNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Whether `query` names the metric, or a series of the histogram `name`.
bool Queries(const std::string& query, const Metric& metric) {
  for (std::size_t at = query.find(metric.name); at != std::string::npos; at = query.find(metric.name, at + 1)) {
    const bool begins = at == 0 || !IsNamePart(query[at - 1]);
    const auto end = std::ranges::find_if_not(query.begin() + static_cast<std::ptrdiff_t>(at), query.end(), IsNamePart);
    const std::string suffix(query.begin() + static_cast<std::ptrdiff_t>(at + metric.name.size()), end);
    const bool of_histogram = suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
    if (begins && (metric.type == kHistogram ? of_histogram : suffix.empty())) {
      return true;
    }
  }
  return false;
}

void CheckRow(const std::vector<std::string>& lines, const Contents& contents, const Row& row,
              std::vector<std::string>& problems) {
  const Metric* const metric = FindByName(row.name);
  if (metric == nullptr) {
    problems.push_back(row.name + ": not in the catalogue");
    return;
  }
  if (lines[row.line] != RenderRow(*metric)) {
    problems.push_back(row.name + ": the row is not that of the catalogue");
  }
  const bool queried = std::ranges::any_of(contents.queries, [&](const auto& query) {
    return query.first == row.section && Queries(query.second, *metric);
  });
  if (!queried) {
    problems.push_back(row.name + ": no example query in its section");
  }
}

std::vector<std::string> FindProblems(const std::string& page) {
  const std::vector<std::string> lines = SplitLines(page);
  const Contents contents = Scan(lines);
  std::vector<std::string> problems;
  for (const Metric& metric : kCatalogue) {
    if (std::ranges::find(contents.rows, metric.name, &Row::name) == contents.rows.end()) {
      problems.push_back(std::string(metric.name) + ": no row");
    }
  }
  for (const Row& row : contents.rows) {
    CheckRow(lines, contents, row, problems);
  }
  if (problems.empty() && !std::ranges::equal(contents.rows, kCatalogue, {}, &Row::name, &Metric::name)) {
    problems.emplace_back("the rows are not in the order of the catalogue");
  }
  if (contents.bounds.size() != 1 || lines[contents.bounds.front()] != RenderBound()) {
    problems.emplace_back("the bound of all series is not that of the catalogue");
  }
  return problems;
}

// Writes the rows of known metrics and the bound. Everything else stays as it is.
std::string Refresh(const std::string& page) {
  std::vector<std::string> lines = SplitLines(page);
  const Contents contents = Scan(lines);
  for (const Row& row : contents.rows) {
    if (const Metric* const metric = FindByName(row.name)) {
      lines[row.line] = RenderRow(*metric);
    }
  }
  for (const std::size_t line : contents.bounds) {
    lines[line] = RenderBound();
  }
  std::string text;
  for (const std::string& line : lines) {
    text += line + '\n';
  }
  return text;
}

std::string ReadPage() {
  std::ifstream file(kPage);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(MetricsPageTest, HasOneRowAndAQueryForEachMetricOfTheCatalogue) {
  std::string page = ReadPage();
  if (std::getenv("PROCEVENT_REFRESH_GOLDEN") != nullptr) {
    page = Refresh(page);
    std::ofstream(kPage) << page;
  }
  EXPECT_THAT(FindProblems(page), testing::IsEmpty())
      << "add each new metric to " << kPage
      << ", as a row with its name only and a query, then run this test with PROCEVENT_REFRESH_GOLDEN=1";
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

std::string PendingRow() { return "\n" + RenderRow(FindMetric("procevent_pending")); }

INSTANTIATE_TEST_SUITE_P(
    All, MetricsPageDeviationTest,
    testing::Values(
        Deviation{"Unit",
                  "| gauge | boolean |",
                  "| gauge | seconds |",
                  {"procevent_up: the row is not that of the catalogue"}},
        Deviation{"Help",
                  "Programs executed, by",
                  "Programs started, by",
                  {"procevent_execs_total: the row is not that of the catalogue"}},
        Deviation{"NameOnly",
                  PendingRow(),
                  "\n| `procevent_pending` |",
                  {"procevent_pending: the row is not that of the catalogue"}},
        Deviation{"NoRow", PendingRow(), "", {"procevent_pending: no row"}},
        Deviation{"OtherMetric",
                  "\n| `procevent_pending` |",
                  "\n| `procevent_waiting` |",
                  {"procevent_pending: no row", "procevent_waiting: not in the catalogue"}},
        Deviation{"PlainRow", PendingRow(), PendingRow() + "\n| waiting |", {"| waiting |: not in the catalogue"}},
        Deviation{
            "TwoRows", PendingRow(), PendingRow() + PendingRow(), {"the rows are not in the order of the catalogue"}},
        Deviation{
            "NoQuery", "\nprocevent_processes ", "\n# ", {"procevent_processes: no example query in its section"}},
        Deviation{"QueryOfALongerName",
                  "\nprocevent_processes ",
                  "\nprocevent_processes_dropped_total ",
                  {"procevent_processes: no example query in its section"}},
        Deviation{"QueryOfALongerPrefix",
                  "\nprocevent_processes ",
                  "\nx_procevent_processes ",
                  {"procevent_processes: no example query in its section"}},
        Deviation{"HistogramWithoutSuffix",
                  "procevent_event_delay_seconds_bucket",
                  "procevent_event_delay_seconds",
                  {"procevent_event_delay_seconds: no example query in its section"}},
        Deviation{"OtherBound",
                  " and 8 CPUs the maximum is 1",
                  " and 8 CPUs the maximum is 2",
                  {"the bound of all series is not that of the catalogue"}},
        Deviation{"NoBound", "\nWith the defaults (", "\n", {"the bound of all series is not that of the catalogue"}}),
    [](const auto& row) { return row.param.name; });

TEST(MetricsPageTest, FindsRowsInAnotherOrder) {
  std::vector<std::string> lines = SplitLines(Refresh(ReadPage()));
  const std::vector<Row> rows = Scan(lines).rows;
  std::swap(lines[rows.at(0).line], lines[rows.at(1).line]);
  std::string page;
  for (const std::string& line : lines) {
    page += line + '\n';
  }
  EXPECT_THAT(FindProblems(page), testing::ElementsAre("the rows are not in the order of the catalogue"));
}

TEST(MetricsPageTest, FindsAQueryInAnotherSection) {
  std::string page = Refresh(ReadPage());
  const std::string query = "\nprocevent_processes ";
  page.replace(page.find(query), query.size(), "\n# ");
  page.insert(page.find("```promql\n") + std::string("```promql").size(), query);
  EXPECT_THAT(FindProblems(page), testing::ElementsAre("procevent_processes: no example query in its section"));
}

TEST(MetricsPageTest, RefreshWritesOnlyRowsAndTheBound) {
  const std::string page = Refresh(ReadPage());
  EXPECT_EQ(Refresh(page), page);
  std::string outdated = page;
  const auto replace = [](std::string& text, const std::string& old_text, const std::string& new_text) {
    text.replace(text.find(old_text), old_text.size(), new_text);
  };
  replace(outdated, PendingRow(), "\n| `procevent_pending` |");
  replace(outdated, RenderBound(), std::string(kBoundBegin));
  std::string expected = page;
  for (std::string* const text : {&outdated, &expected}) {
    replace(*text, "\n| `procevent_up` |", "\n| `procevent_down` |");
    replace(*text, "\n## Invariants", "\n\n| `procevent_pending` |\n\n## Invariants");
  }
  EXPECT_EQ(Refresh(outdated), expected);
}

}  // namespace
}  // namespace procevent

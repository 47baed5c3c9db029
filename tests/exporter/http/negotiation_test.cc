#include "exporter/http/negotiation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace procevent {
namespace {

TEST(ContentEncodingNegotiationTest, FollowsRfc9110) {
  const struct {
    std::string header;
    bool gzip;
  } rows[] = {
      {"", false},
      {"gzip", true},
      {"GZip", true},
      {"x-gzip", true},
      {"deflate", false},
      {"br, gzip;q=0.8, deflate", true},
      {"gzip;q=0", false},
      {"gzip;q=0.0", false},
      {"gzip;q=0.000", false},
      {"gzip;q=0.001", true},
      {"gzip; q=1.000", true},
      {"gzip ;\tQ=0.5 ", true},
      {"gzip;q=1.001", false},
      {"gzip;q=2", false},
      {"gzip;q=-1", false},
      {"gzip;q=0.5x", false},
      {"gzip;q=0.1234", false},
      {"gzip;q=", false},
      {"gzip;q=abc", false},
      {"gzip;q=.5", false},
      {"gzip;q=01", false},
      {"gzip;q=0.e1", false},
      {"gzip;q=inf", false},
      {"gzip;q=nan", false},
      {"gzip;level=9;q=0", false},
      {"gzip;level=9", true},
      {"*", true},
      {"*;q=0", false},
      {"*;q=0, gzip", true},
      {"gzip, *;q=0", true},
      {"*, gzip;q=0", false},
      {"identity", false},
      {"identity, gzip", true},
      {"identity;q=1, gzip;q=0.5", false},
      {"identity;q=0.5, gzip;q=1", true},
      {"identity;q=0, *;q=0.1", true},
      {"identity, *;q=0.1", false},
      {"gzipped", false},
      {"xgzip", false},
      {"gzi", false},
      {",,gzip,,", true},
      {";q=1", false},
      {"gzip=1", false},
      {" , ; = ;", false},
      {"gzip;x=\"a,b;q=0\"", true},
      {"gzip;x=\"", false},
      {"gzip, br;x=\", gzip;q=0", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(NegotiateEncoding(row.header) == ContentEncoding::kGzip, row.gzip) << '"' << row.header << '"';
  }
}

TEST(TextFormatNegotiationTest, FollowsRfc9110) {
  constexpr bool kOpenMetrics = true;
  constexpr bool kPlain = false;
  const struct {
    std::string name;
    std::string header;
    bool open_metrics;
  } rows[] = {
      {"Prometheus 2.42",
       "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOpenMetrics},
      {"Prometheus 2.30", "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kPlain},
      {"Prometheus 2.4", "text/plain;version=0.0.4;q=1,*/*;q=0.1", kPlain},
      {"Prometheus 2 with native histograms",
       "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
       "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOpenMetrics},
      {"Prometheus 3",
       "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
       "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       kOpenMetrics},
      {"Prometheus 3, PrometheusText0.0.4 only", "text/plain;version=0.0.4;q=0.5,*/*;q=0.4", kPlain},
      {"VictoriaMetrics", "text/plain;version=0.0.4;q=1,*/*;q=0.1", kPlain},
      {"Telegraf",
       "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
       "text/plain;version=0.0.4;q=0.3",
       kPlain},
      {"curl", "*/*", kPlain},
      {"browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", kPlain},
      {"Java", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", kPlain},
      {"no header", "", kPlain},

      {"the type alone", "application/openmetrics-text", kOpenMetrics},
      {"our own Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8", kOpenMetrics},
      {"upper case", "Application/OpenMetrics-Text; Version=1.0.0; Charset=UTF-8", kOpenMetrics},
      {"quoted version", "application/openmetrics-text;version=\"1.0.0\"", kOpenMetrics},
      {"blanks", " application/openmetrics-text ;\tversion=1.0.0 ; q=0.9 ,text/plain;q=0.8", kOpenMetrics},
      {"version 0.0.1 alone", "application/openmetrics-text;version=0.0.1", kPlain},
      {"version 2.0.0", "application/openmetrics-text;version=2.0.0", kPlain},
      {"another charset", "application/openmetrics-text;charset=latin1", kPlain},
      {"a longer type", "application/openmetrics-text2", kPlain},
      {"a shorter type", "application/openmetrics", kPlain},
      {"unknown parameters", "application/openmetrics-text;escaping=values;x=\"a,b;q=0\"", kOpenMetrics},

      {"quality 0", "application/openmetrics-text;q=0", kPlain},
      {"smallest quality", "application/openmetrics-text;q=0.001", kOpenMetrics},
      {"lower quality", "application/openmetrics-text;q=0.4,text/plain;q=0.5", kPlain},
      {"equal quality", "application/openmetrics-text,text/plain", kPlain},
      {"equal quality, plain by wildcard", "application/openmetrics-text;q=0.5,*/*;q=0.5", kOpenMetrics},
      {"equal quality, OpenMetrics by wildcard", "*/*,text/plain", kPlain},
      {"equal quality, OpenMetrics with version", "application/openmetrics-text;version=1.0.0,text/plain",
       kOpenMetrics},
      {"plain in another version", "application/openmetrics-text;q=0.1,text/plain;version=1.0.0", kOpenMetrics},
      {"application/*", "application/*", kOpenMetrics},
      {"application/* at a lower quality", "application/*;q=0.1,text/*;q=0.2", kPlain},
      {"plain rejected", "text/plain;q=0,*/*;q=0.1", kOpenMetrics},
      {"all rejected", "*/*;q=0", kPlain},
      {"the most specific range counts", "application/openmetrics-text;q=0,*/*,text/plain;q=0.1", kPlain},
      {"the version is more specific",
       "application/openmetrics-text;version=1.0.0;q=0.1,application/openmetrics-text,text/plain;q=0.5", kPlain},
      {"the type is more specific than application/*",
       "application/*;q=1,application/openmetrics-text;q=0.1,text/plain;q=0.5", kPlain},
      {"the higher of two", "application/openmetrics-text;q=0.9,application/openmetrics-text;q=0.1,text/plain;q=0.5",
       kOpenMetrics},

      {"invalid quality", "application/openmetrics-text;q=abc", kPlain},
      {"empty quality", "application/openmetrics-text;q=", kPlain},
      {"quality above 1", "application/openmetrics-text;q=1.1", kPlain},
      {"no subtype", "application", kPlain},
      {"empty subtype", "application/", kPlain},
      {"wildcard type with a subtype", "*/openmetrics-text", kPlain},
      {"empty elements", ",,application/openmetrics-text,,", kOpenMetrics},
      {"separators", " , ; = ; / ,\"\",", kPlain},
      {"parameter without a name", "application/openmetrics-text;=1.0.0", kOpenMetrics},
      {"unterminated quoted string", "application/openmetrics-text;version=\"1.0.0", kPlain},
      {"unterminated quoted string later", "application/openmetrics-text,text/plain;x=\"", kOpenMetrics},
      {"escaped quote", "text/plain;x=\"a\\\",application/openmetrics-text;\"", kPlain},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(NegotiateFormat(row.header) == TextFormat::kOpenMetrics, row.open_metrics) << row.name;
  }
}

// --- The same in another way: the header is split into text first, without a thought for time or quoted strings. ---

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream rest(text);
  for (std::string part; std::getline(rest, part, separator);) {
    std::erase(part, ' ');
    std::ranges::transform(part, part.begin(), [](unsigned char c) { return std::tolower(c); });
    parts.push_back(part);
  }
  return parts;
}

// Quality and rank of a type: a map from each range that names the type, from the least specific to the most.
std::pair<double, int> RankReference(const std::string& header, const std::string& type, const std::string& version) {
  const std::array<std::string, 5> ranges{"*/*", type.substr(0, type.find('/')) + "/*", type,
                                          type + ";version=" + version,
                                          type + ";version=" + version + ";charset=utf-8"};
  for (int rank = ranges.size() - 1; rank >= 0; --rank) {
    double quality = -1;
    for (const std::string& element : Split(header, ',')) {
      std::string range;
      double weight = 1;
      for (const std::string& part : Split(element, ';')) {
        if (part.starts_with("q=")) {
          weight = std::stod(part.substr(2));
        } else if (!part.starts_with("escaping=")) {
          range += (range.empty() ? "" : ";") + part;
        }
      }
      if (range == ranges.at(static_cast<std::size_t>(rank))) {
        quality = std::max(quality, weight);
      }
    }
    if (quality >= 0) {
      return {quality, rank};
    }
  }
  return {0, -1};
}

TEST(TextFormatNegotiationTest, MatchesTheReference) {
  const std::vector<std::string> types{"application/openmetrics-text",
                                       "Application/OpenMetrics-text; version=1.0.0",
                                       "application/openmetrics-text;version=0.0.1",
                                       "application/openmetrics-text;version=1.0.0;charset=utf-8",
                                       "application/openmetrics-text;version=1.0.0;escaping=underscores",
                                       "application/*",
                                       "text/plain",
                                       "text/plain;version=0.0.4",
                                       "text/plain;version=1.0.0",
                                       "text/plain; version=0.0.4; charset=UTF-8",
                                       "text/*",
                                       "text/html",
                                       "*/*"};
  const std::vector<std::string> qualities{"", "", ";q=0", ";q=0.1", "; q=0.5", ";Q=0.51", ";q=1"};
  std::mt19937 random(1);
  const auto pick = [&random](const auto& from) { return from[random() % from.size()]; };
  int open_metrics = 0;
  constexpr int kHeaders = 20'000;
  for (int i = 0; i < kHeaders; ++i) {
    std::string header;
    for (std::size_t elements = random() % 5; elements > 0; --elements) {
      header += (header.empty() ? "" : ", ") + pick(types) + pick(qualities);
    }
    const auto rank = RankReference(header, "application/openmetrics-text", "1.0.0");
    const bool expected = rank.first > 0 && rank > RankReference(header, "text/plain", "0.0.4");
    ASSERT_EQ(NegotiateFormat(header) == TextFormat::kOpenMetrics, expected) << header;
    open_metrics += expected ? 1 : 0;
  }
  EXPECT_GT(open_metrics, kHeaders / 5);
  EXPECT_LT(open_metrics, kHeaders * 4 / 5);
}

// Any bytes are answered. The sanitizers watch.
TEST(NegotiationTest, AcceptsAnyBytes) {
  constexpr std::string_view kBytes = "aq/*;,=\" \t\\01.\xff";
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    std::string header(random() % 20, '\0');
    std::ranges::generate(header, [&] { return kBytes[random() % kBytes.size()]; });
    EXPECT_EQ(NegotiateFormat(header), TextFormat::kPlain) << "no such header names OpenMetrics";
    NegotiateEncoding(header);
  }
}

}  // namespace
}  // namespace procevent

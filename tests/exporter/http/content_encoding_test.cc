#include "exporter/http/content_encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace procevent {
namespace {

TEST(ContentEncodingTest, FollowsRfc9110) {
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
  };
  for (const auto& row : rows) {
    EXPECT_EQ(NegotiateEncoding(row.header) == ContentEncoding::kGzip, row.gzip) << '"' << row.header << '"';
  }
}

}  // namespace
}  // namespace procevent

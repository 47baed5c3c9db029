#include "exporter/http/scrape_body.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "tests/exporter/http/generate_text.h"
#include "tests/exporter/http/gunzip.h"

namespace procevent {
namespace {

std::shared_ptr<const ScrapeBody> Compress(std::string_view text, std::size_t append_bytes) {
  ScrapeBodyWriter writer;
  for (std::size_t i = 0; i < text.size(); i += append_bytes) {
    writer.Append(text.substr(i, append_bytes));
  }
  return writer.Finish({.complete_until_ns = 7, .number = 8});
}

std::string MakeText(std::size_t bytes, bool compressible) {
  std::mt19937 random(1);
  std::string text(bytes, 'x');
  for (char& c : text) {
    c = static_cast<char>(random() % (compressible ? 4 : 256));
  }
  return text;
}

TEST(ScrapeBodyTest, GivesTheTextInBothEncodings) {
  for (const bool compressible : {true, false}) {
    for (const std::size_t bytes : {0U, 1U, 1000U, 65'535U, 65'536U, 65'537U, 3'000'000U}) {
      for (const std::size_t append_bytes : {1000U, 70'000U, 5'000'000U}) {
        const std::string text = MakeText(bytes, compressible);
        const auto body = Compress(text, append_bytes);
        const std::string gzipped = ReadAll(body, ContentEncoding::kGzip);
        EXPECT_EQ(body->size(ContentEncoding::kIdentity), bytes);
        EXPECT_EQ(body->size(ContentEncoding::kGzip), gzipped.size());
        EXPECT_EQ(Gunzip(gzipped), text) << bytes;
        EXPECT_EQ(ReadAll(body), text) << bytes;
        EXPECT_EQ(body->page().complete_until_ns, 7U);
        EXPECT_EQ(body->page().number, 8U);
      }
    }
  }
}

TEST(ScrapeBodyTest, GivesPiecesOfBoundedSizeAndCountsTheRest) {
  const auto body = Compress(MakeText(1'000'000, false), 10'000);
  for (const ContentEncoding encoding : {ContentEncoding::kIdentity, ContentEncoding::kGzip}) {
    ScrapeBodyReader reader(body, encoding);
    std::size_t read = 0;
    while (reader.unread_bytes() > 0) {
      const std::string_view piece = reader.Next();
      ASSERT_FALSE(piece.empty());
      ASSERT_LE(piece.size(), ScrapeBodyReader::kPieceBytes);
      read += piece.size();
      EXPECT_EQ(reader.unread_bytes(), body->size(encoding) - read);
    }
    EXPECT_TRUE(reader.Next().empty());
  }
}

TEST(ScrapeBodyTest, RepeatedTextTakesLittleMemory) {
  EXPECT_LT(Compress(std::string(1'000'000, 'a'), 50'000)->size(ContentEncoding::kGzip), 10'000U);
}

}  // namespace
}  // namespace procevent

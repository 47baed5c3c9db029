// Holds the text of one scrape compressed, and gives it out as gzip or as plain text.
//
// A slow client holds its page for as long as it reads. Compressed, that is a twentieth of the text. Neither the
// compression nor the decompression ever has the whole text in memory.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/http/negotiation.h"
#include "exporter/metrics/page_info.h"

namespace procevent {

// The body of one scrape. Immutable, so that any number of threads may send it at once.
class ScrapeBody {
 public:
  // The size of the body in bytes.
  [[nodiscard]] std::size_t size(ContentEncoding encoding) const {
    return encoding == ContentEncoding::kGzip ? compressed_bytes_ : text_bytes_;
  }
  [[nodiscard]] const PageInfo& page() const { return page_; }

 private:
  friend class ScrapeBodyWriter;
  friend class ScrapeBodyReader;
  std::vector<std::string> pieces_;  // of the gzip stream
  std::size_t compressed_bytes_ = 0;
  std::size_t text_bytes_ = 0;
  PageInfo page_;
};

// Compresses a text into a body. One thread at a time.
class ScrapeBodyWriter {
 public:
  // Every function throws std::bad_alloc if there is not enough memory.
  ScrapeBodyWriter();
  ScrapeBodyWriter(const ScrapeBodyWriter&) = delete;
  ScrapeBodyWriter& operator=(const ScrapeBodyWriter&) = delete;
  ~ScrapeBodyWriter() { ::deflateEnd(&stream_); }

  void Append(std::string_view text);
  // The last call. Returns the body of everything that was appended.
  [[nodiscard]] std::shared_ptr<const ScrapeBody> Finish(const PageInfo& page);

 private:
  void Deflate(int flush);
  void StartPiece();
  void EndPiece();

  z_stream stream_{};
  std::shared_ptr<ScrapeBody> body_ = std::make_shared<ScrapeBody>();
  std::string piece_;
};

// Reads a body in pieces of at most 64 KiB, in the given encoding. One thread at a time.
class ScrapeBodyReader {
 public:
  static constexpr std::size_t kPieceBytes = 65536;

  // Throws std::bad_alloc if there is not enough memory. Keeps the body alive.
  ScrapeBodyReader(std::shared_ptr<const ScrapeBody> body, ContentEncoding encoding);
  ScrapeBodyReader(const ScrapeBodyReader&) = delete;
  ScrapeBodyReader& operator=(const ScrapeBodyReader&) = delete;
  ~ScrapeBodyReader();

  // The next piece, valid until the next call. Empty at the end.
  std::string_view Next();
  [[nodiscard]] std::size_t unread_bytes() const { return unread_bytes_; }

 private:
  std::string_view Inflate();

  std::shared_ptr<const ScrapeBody> body_;
  const ContentEncoding encoding_;
  std::size_t unread_bytes_;
  std::size_t next_piece_ = 0;
  z_stream stream_{};  // used for plain text only
  std::string text_;
};

}  // namespace procevent

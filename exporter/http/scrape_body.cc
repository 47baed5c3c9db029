#include "exporter/http/scrape_body.h"

#include <cassert>
#include <new>
#include <utility>

namespace procevent {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: the largest window, and a gzip header

// zlib does not change its input, but its API takes a pointer to non-const.
void SetInput(z_stream& stream, std::string_view bytes) {
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // NOLINT(*-const-cast)
  stream.avail_in = static_cast<uInt>(bytes.size());
}

void SetOutput(z_stream& stream, std::string& buffer) {
  stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
  stream.avail_out = static_cast<uInt>(buffer.size());
}

}  // namespace

ScrapeBodyWriter::ScrapeBodyWriter() {
  constexpr int kMemoryLevel = 8;
  if (::deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  StartPiece();
}

void ScrapeBodyWriter::Append(std::string_view text) {
  body_->text_bytes_ += text.size();
  while (!text.empty()) {
    const std::string_view part = text.substr(0, ScrapeBodyReader::kPieceBytes);
    SetInput(stream_, part);
    Deflate(Z_NO_FLUSH);
    text.remove_prefix(part.size());
  }
}

std::shared_ptr<const ScrapeBody> ScrapeBodyWriter::Finish(const PageInfo& page) {
  Deflate(Z_FINISH);
  EndPiece();
  body_->page_ = page;
  return std::move(body_);
}

// Compresses the input of the stream, and with Z_FINISH also what zlib still holds back.
void ScrapeBodyWriter::Deflate(int flush) {
  while (true) {
    const int result = ::deflate(&stream_, flush);
    assert(result == Z_OK || result == Z_BUF_ERROR || result == Z_STREAM_END);  // others are faults of this file
    const bool done = flush == Z_FINISH ? result == Z_STREAM_END : stream_.avail_in == 0 && stream_.avail_out > 0;
    if (done) {
      return;
    }
    EndPiece();
    StartPiece();
  }
}

void ScrapeBodyWriter::StartPiece() {
  piece_.resize(ScrapeBodyReader::kPieceBytes);
  SetOutput(stream_, piece_);
}

void ScrapeBodyWriter::EndPiece() {
  piece_.resize(piece_.size() - stream_.avail_out);
  piece_.shrink_to_fit();
  body_->compressed_bytes_ += piece_.size();
  body_->pieces_.push_back(std::move(piece_));
  piece_ = {};
}

ScrapeBodyReader::ScrapeBodyReader(std::shared_ptr<const ScrapeBody> body, ContentEncoding encoding)
    : body_(std::move(body)), encoding_(encoding), unread_bytes_(body_->size(encoding)) {
  if (encoding_ == ContentEncoding::kIdentity) {
    text_.resize(kPieceBytes);
    if (::inflateInit2(&stream_, kGzipWindow) != Z_OK) {
      throw std::bad_alloc();
    }
  }
}

ScrapeBodyReader::~ScrapeBodyReader() {
  if (encoding_ == ContentEncoding::kIdentity) {
    ::inflateEnd(&stream_);
  }
}

std::string_view ScrapeBodyReader::Next() {
  if (unread_bytes_ == 0) {
    return {};
  }
  const std::string_view piece =
      encoding_ == ContentEncoding::kGzip ? std::string_view(body_->pieces_.at(next_piece_++)) : Inflate();
  unread_bytes_ -= piece.size();
  return piece;
}

std::string_view ScrapeBodyReader::Inflate() {
  SetOutput(stream_, text_);
  int result = Z_OK;
  while (result == Z_OK && stream_.avail_out > 0) {
    if (stream_.avail_in == 0) {
      SetInput(stream_, body_->pieces_.at(next_piece_++));
    }
    result = ::inflate(&stream_, Z_NO_FLUSH);
  }
  if (result == Z_MEM_ERROR) {
    throw std::bad_alloc();  // in the first call only, which allocates the window
  }
  assert(result == Z_OK || result == Z_STREAM_END);  // the stream is ScrapeBodyWriter's
  return std::string_view(text_).substr(0, text_.size() - stream_.avail_out);
}

}  // namespace procevent

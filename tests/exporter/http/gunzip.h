// gzip undone, for tests.
#pragma once

#include <zlib.h>

#include <array>
#include <string>

namespace procevent {

// Empty if it is not gzip, whole and valid.
inline std::string Gunzip(std::string packed) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) {
    return {};
  }
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  std::array<char, 65536> piece{};
  int outcome = Z_OK;
  while (outcome == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    outcome = ::inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
  }
  const bool whole = outcome == Z_STREAM_END && stream.avail_in == 0;
  ::inflateEnd(&stream);
  return whole ? text : std::string();
}

}  // namespace procevent

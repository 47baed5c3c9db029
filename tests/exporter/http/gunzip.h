// Decompresses gzip, for the tests.
#pragma once

#include <zlib.h>

#include <array>
#include <string>

namespace procevent {

// Returns an empty string for incomplete or invalid gzip data.
inline std::string Gunzip(std::string compressed) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) {
    return {};
  }
  stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string text;
  std::array<char, 65536> piece{};
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = ::inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
  }
  const bool complete = result == Z_STREAM_END && stream.avail_in == 0;
  ::inflateEnd(&stream);
  return complete ? text : std::string();
}

}  // namespace procevent

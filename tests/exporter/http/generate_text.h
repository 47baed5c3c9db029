// Makes pages for tests of the HTTP server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "exporter/http/scrape_coalescer.h"

namespace procevent {

// Each body is complete for the request that it was generated for.
inline ScrapeCoalescer::Generator GenerateText(std::string text) {
  return [text = std::move(text)](std::uint64_t asked_ns, TextFormat /*format*/, const TextSink& sink) {
    sink(text);
    return PageInfo{.complete_until_ns = asked_ns};
  };
}

inline std::string ReadAll(const std::shared_ptr<const ScrapeBody>& body,
                           ContentEncoding encoding = ContentEncoding::kIdentity) {
  ScrapeBodyReader reader(body, encoding);
  std::string bytes;
  while (reader.unread_bytes() > 0) {
    bytes += reader.Next();
  }
  return bytes;
}

}  // namespace procevent

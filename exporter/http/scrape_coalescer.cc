#include "exporter/http/scrape_coalescer.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/base/text.h"

namespace procevent {

namespace {

constexpr unsigned kWhole = 1000;  // q=1, in the thousandths that RFC 9110 allows

bool SameWord(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, ToLowerAscii, ToLowerAscii);
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Cuts off and returns what is before the next separator.
std::string_view Next(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return Trimmed(item);
}

// "0", "0.5", "1.000" in thousandths; what is no quality counts as 0, a refusal: identity is always safe.
unsigned Quality(std::string_view text) {
  constexpr std::size_t kMostCharacters = 5;
  if (text.empty() || text.size() > kMostCharacters || text.front() < '0' || text.front() > '1' ||
      (text.size() > 1 && text[1] != '.')) {
    return 0;
  }
  unsigned quality = text.front() == '1' ? kWhole : 0;
  unsigned weight = kWhole;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') {
      return 0;
    }
    weight /= 10;
    quality += weight * static_cast<unsigned>(c - '0');
  }
  return quality > kWhole ? 0 : quality;
}

// Of one item's parameters: ";q=0.5".
unsigned QualityOf(std::string_view parameters) {
  unsigned quality = kWhole;
  while (!parameters.empty()) {
    std::string_view value = Next(parameters, ';');
    if (SameWord(Next(value, '='), "q")) {
      quality = Quality(Trimmed(value));
    }
  }
  return quality;
}

}  // namespace

bool PrefersGzip(std::string_view accept_encoding) {
  std::optional<unsigned> gzip;
  std::optional<unsigned> identity;
  std::optional<unsigned> others;
  while (!accept_encoding.empty()) {
    std::string_view parameters = Next(accept_encoding, ',');
    const std::string_view coding = Next(parameters, ';');
    const unsigned quality = QualityOf(parameters);
    if (SameWord(coding, "gzip") || SameWord(coding, "x-gzip")) {
      gzip = quality;
    } else if (SameWord(coding, "identity")) {
      identity = quality;
    } else if (coding == "*") {
      others = quality;
    }
  }
  const unsigned of_gzip = gzip.value_or(others.value_or(0));
  return of_gzip > 0 && of_gzip >= identity.value_or(0);
}

std::optional<std::string> Gzip(std::string_view text) {
  constexpr int kGzipWindow = 15 + 16;  // zlib: the largest window, and a gzip header
  constexpr int kMemoryLevel = 8;
  if (text.size() > std::numeric_limits<uInt>::max() / 2) {
    return std::nullopt;
  }
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  std::string packed(::deflateBound(&stream, text.size()), '\0');
  std::string plain(text);  // zlib wants what it does not change to be changeable
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int outcome = ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return outcome == Z_STREAM_END ? std::optional(std::move(packed)) : std::nullopt;
}

const std::optional<std::string>& ScrapeBody::gzipped() const {
  std::call_once(once_, [this] { gzipped_ = Gzip(text_); });
  return gzipped_;
}

std::shared_ptr<const ScrapeBody> ScrapeCoalescer::Get(std::chrono::milliseconds patience) {
  const Deadline deadline = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = begun_ + 1;
  ++waiting_;
  changed_.wait(lock, [&] { return done_ >= wanted || !making_; });
  --waiting_;
  if (done_ < wanted) {
    return MakeOne(lock, deadline);
  }
  return waiting_ == 0 ? std::move(answer_) : answer_;
}

std::shared_ptr<const ScrapeBody> ScrapeCoalescer::MakeOne(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  making_ = true;
  const std::uint64_t number = ++begun_;
  lock.unlock();
  std::shared_ptr<const ScrapeBody> made;
  try {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    made = std::make_shared<ScrapeBody>(make_(std::max(left, std::chrono::milliseconds(0))));
  } catch (...) {
    lock.lock();
    making_ = false;
    changed_.notify_all();
    throw;
  }
  lock.lock();
  making_ = false;
  done_ = number;
  answer_ = waiting_ == 0 ? nullptr : made;
  changed_.notify_all();
  return made;
}

}  // namespace procevent

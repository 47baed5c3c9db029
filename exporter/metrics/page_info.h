// Describes a page of metrics: the answer to one or more scrapes.
#pragma once

#include <cstdint>

namespace procevent {

struct PageInfo {
  std::uint64_t complete_until_ns = 0;  // of a scrape that asked until then (CLOCK_MONOTONIC) the page has everything
  std::uint64_t number = 0;             // pages are numbered from 1 in the order of their making; 0: without groups
};

}  // namespace procevent

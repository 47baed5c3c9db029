// Why an exception ended what was under way: a line with cause and remedy. Used by main and Serve.
#pragma once

#include <exception>

namespace procevent {

// Its own text, or that of a memory too small, which takes no memory. Lives as long as `fault`.
const char* WhyEnded(const std::exception& fault);

}  // namespace procevent

#include <cstddef>
#include <cstdio>
#include <exception>
#include <span>

#include "cmd/dispatch.h"
#include "cmd/logging/log.h"

int main(int argc, char** argv) {
  try {
    return procevent::Run(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  } catch (const std::exception& e) {
    static_cast<void>(std::fprintf(stderr, "procevent_exporter: %s\n", procevent::DescribeFatal(e)));
  } catch (...) {
    static_cast<void>(std::fputs("procevent_exporter: unknown exception; report it as a bug\n", stderr));
  }
  return 1;
}

#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <span>

#include "cmd/dispatch.h"
#include "core/base/fatal_error.h"

int main(int argc, char** argv) {
  try {
    return procevent::Run(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  } catch (const std::bad_alloc&) {  // printed without an allocation
    static_cast<void>(std::fprintf(stderr, "procevent_exporter: cannot %s: %s; %s\n",
                                   procevent::kOutOfMemory.operation.data(), procevent::kOutOfMemory.cause.text.data(),
                                   procevent::kOutOfMemory.remedy.data()));
  } catch (const std::exception& e) {
    static_cast<void>(std::fprintf(stderr, "procevent_exporter: %s\n", e.what()));
  } catch (...) {
    static_cast<void>(std::fputs("procevent_exporter: unknown exception; report it as a bug\n", stderr));
  }
  return 1;
}

// Lets `operator new` fail in the exporter's reader thread, as if memory were exhausted, once the file that the
// environment variable PROCEVENT_FAIL_NEW names exists. Loaded by LD_PRELOAD.
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

bool MustFail() {
  static const char* const trigger = std::getenv("PROCEVENT_FAIL_NEW");  // NOLINT(concurrency-mt-unsafe)
  std::array<char, 16> thread{};
  ::prctl(PR_GET_NAME, thread.data());
  return trigger != nullptr && std::string_view(thread.data()) == "pe-reader" && ::access(trigger, F_OK) == 0;
}

}  // namespace

// A replacement of operator new cannot use it, so it takes its memory from malloc. The environment never changes.
void* operator new(std::size_t size) {
  void* const memory = MustFail() ? nullptr : std::malloc(size);  // NOLINT(cppcoreguidelines-no-malloc)
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }                        // NOLINT(*-no-malloc)
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }  // NOLINT(*-no-malloc)

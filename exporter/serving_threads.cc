#include "exporter/serving_threads.h"

#include <pthread.h>

#include <latch>
#include <vector>

#include "core/base/remedies.h"

namespace procevent {
namespace {

constexpr std::size_t kStackBytes = 100UL * 1024;  // as civetweb's threads have

void* AwaitAll(void* all_there) {
  static_cast<std::latch*>(all_there)->wait();
  return nullptr;
}

}  // namespace

Status TryServingThreads() {
  std::latch all_there(1);
  pthread_attr_t attributes{};
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  std::vector<pthread_t> threads;
  threads.reserve(kServingThreads);
  int fault = 0;
  while (fault == 0 && threads.size() < kServingThreads) {
    pthread_t thread{};
    fault = ::pthread_create(&thread, &attributes, AwaitAll, &all_there);
    if (fault == 0) {
      threads.push_back(thread);
    }
  }
  ::pthread_attr_destroy(&attributes);
  all_there.count_down();
  for (const pthread_t thread : threads) {
    ::pthread_join(thread, nullptr);
  }
  if (fault != 0) {
    static_assert(kServingThreads == 65, "the text says how many");
    return Error{"start the 65 threads that serve", fault, kThreadsRemedy};
  }
  return Success{};
}

}  // namespace procevent

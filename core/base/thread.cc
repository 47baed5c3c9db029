#include "core/base/thread.h"

#include <sys/prctl.h>

#include <system_error>
#include <utility>

#include "core/base/fatal_error.h"
#include "core/base/result.h"

namespace procevent {

void StoppableThread::Start(const char* name, std::string_view operation, std::function<void()> work) {
  try {
    thread_ = std::thread([name, work = std::move(work)] {
      ::prctl(PR_SET_NAME, name);
      work();
    });
  } catch (const std::system_error& fault) {
    throw FatalError(Error{operation, fault.code().value(), kThreadsRemedy});
  }
}

void StoppableThread::Stop() {
  if (thread_.joinable()) {
    stopping_.store(true, std::memory_order_relaxed);
    stop_.Signal();
    thread_.join();
  }
}

}  // namespace procevent

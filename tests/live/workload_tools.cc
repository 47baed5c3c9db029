#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "workload_scenarios.h"

namespace procevent::workload {

void Fail(std::string_view what) {
  const std::string line = "workload: " + std::string(what) + ": " + std::strerror(errno) + "\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  _exit(99);
}

int Number(Arguments arguments, std::size_t index) {
  if (index >= arguments.size()) {
    Fail("too few arguments");
  }
  return std::atoi(arguments[index]);
}

void Report(std::string_view key, unsigned long long number) {
  const std::string line = std::string(key) + " " + std::to_string(number) + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    Fail("write");
  }
}

void AwaitLine() {
  char byte = 0;
  if (write(STDOUT_FILENO, "ready\n", 6) != 6 || read(STDIN_FILENO, &byte, 1) != 1) {
    Fail("standard input is closed");
  }
}

pid_t ForkInto(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child < 0) {
    Fail("fork");
  }
  if (child == 0) {
    _exit(body());
  }
  return child;
}

int AwaitStatus(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) {
    Fail("waitpid");
  }
  return status;
}

void ExitCounts::Add(int wait_status) {
  ++counts_[WIFSIGNALED(wait_status) ? "signal_" + std::to_string(WTERMSIG(wait_status))
                                     : "status_" + std::to_string(WEXITSTATUS(wait_status))];
  counts_["core_dumped"] += WCOREDUMP(wait_status) ? 1U : 0U;
}

void ExitCounts::Report() const {
  for (const auto& [key, number] : counts_) {
    workload::Report(key, number);
  }
}

void StartThreads(int threads, void* (*body)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64U << 10U);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (int i = 0; i < threads; ++i) {
    pthread_t thread{};
    if (pthread_create(&thread, &attributes, body, argument) != 0) {
      Fail("pthread_create");
    }
  }
  pthread_attr_destroy(&attributes);
}

void* PauseForever(void* /*unused*/) {
  for (;;) {
    pause();
  }
}

}  // namespace procevent::workload

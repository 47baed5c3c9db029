// Forks under given names, and prints the exact number of forks. Reads one request a line from standard input:
//   PREFIX NAMES FORKS RATE
// It renames itself to PREFIX0, PREFIX1 and so on, through NAMES names, and makes FORKS forks under each of them, at
// most RATE per second, or as fast as possible with 0. With one name the name is PREFIX itself. After each request it
// prints the number of its forks, all of which have ended. It ends at the end of the input. Any error ends it with
// status 1 and without a number, so printed numbers are exact.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

struct Request {
  std::string prefix;
  std::uint64_t names = 0;
  std::uint64_t forks = 0;
  double rate = 0;
};

[[noreturn]] void Fail(std::string_view what, int error) {
  std::cerr << "named_forks: " << what << ": " << std::system_category().message(error) << "\n";
  _exit(1);
}

Request ParseRequest(const std::string& line) {
  std::istringstream fields(line);
  Request request;
  fields >> request.prefix >> request.names >> request.forks >> request.rate;
  if (!fields || !fields.eof() || request.names == 0 || request.rate < 0) {
    std::cerr << "named_forks: invalid request \"" << line << "\": expected PREFIX NAMES FORKS RATE\n";
    _exit(1);
  }
  return request;
}

void Rename(const std::string& name) {
  if (prctl(PR_SET_NAME, name.c_str()) != 0) {
    Fail("prctl", errno);
  }
}

void ForkOnce() {
  const pid_t child = vfork();
  if (child == 0) {
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    Fail("fork and wait", errno);
  }
}

// Returns the number of forks.
std::uint64_t Apply(const Request& request) {
  const auto start = Clock::now();
  std::uint64_t made = 0;
  for (std::uint64_t name = 0; name < request.names; ++name) {
    Rename(request.names == 1 ? request.prefix : request.prefix + std::to_string(name));
    for (std::uint64_t fork = 0; fork < request.forks; ++fork) {
      if (request.rate > 0) {
        std::this_thread::sleep_until(start + std::chrono::duration<double>(static_cast<double>(made) / request.rate));
      }
      ForkOnce();
      ++made;
    }
  }
  return made;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Apply(ParseRequest(line)) << std::endl;  // a request's forks are over when its number is printed
  }
  return std::cout.good() ? 0 : 1;
}

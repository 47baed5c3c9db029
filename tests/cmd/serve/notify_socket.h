// The service manager's end of the sd_notify protocol: a unix socket that receives datagrams.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/file_descriptor.h"

namespace procevent {

// A temporary folder, removed by the destructor. It must be empty then.
class TemporaryFolder {
 public:
  TemporaryFolder() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { ::rmdir(path_.c_str()); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = testing::TempDir() + "procevent_notify_XXXXXX";
};

// Binds the socket, and removes its path in the destructor.
class NotifySocket {
 public:
  // `name`: a path, or '@' and an abstract name.
  explicit NotifySocket(const std::string& name, int type = SOCK_DGRAM)
      : name_(name), fd_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, &address.sun_path[0]);
    const bool abstract = name.front() == '@';
    if (abstract) {
      address.sun_path[0] = '\0';
    }
    const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)), 0);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket() { ::unlink(name_.c_str()); }

  // Returns all queued messages.
  std::vector<std::string> ReceiveAll() {
    std::vector<std::string> messages;
    std::array<char, 4096> text{};
    for (ssize_t size = 0; (size = ::recv(fd_.get(), text.data(), text.size(), MSG_DONTWAIT)) >= 0;) {
      messages.emplace_back(text.data(), static_cast<std::size_t>(size));
    }
    return messages;
  }

 private:
  std::string name_;
  OwnedFd fd_;
};

}  // namespace procevent

// Sends and receives raw bytes over loopback, for tests of the server.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/file_descriptor.h"

namespace procevent {

inline sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

// Listens on a free port that the kernel chooses.
class ListeningSocket {
 public:
  ListeningSocket() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = Loopback(0);
    socklen_t size = sizeof name;
    const bool bound = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0 &&
                       ::listen(socket_.get(), 1) == 0 &&
                       ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0;
    port_ = bound ? ntohs(name.sin_port) : 0;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  OwnedFd socket_;
  std::uint16_t port_ = 0;
};

// A port that is free now. Another program may take it before the caller binds it.
inline std::uint16_t FreePort() { return ListeningSocket().port(); }

// A client connection to 127.0.0.1.
class TcpClient {
 public:
  // `receive_buffer` in bytes; 0 keeps the kernel's default.
  explicit TcpClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{20, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (receive_buffer > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const sockaddr_in name = Loopback(port);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  }

  [[nodiscard]] bool connected() const { return connected_; }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Waits for the first byte without consuming it. False if none arrives within the timeout.
  [[nodiscard]] bool WaitForData() const {
    char byte = 0;
    return ::recv(socket_.get(), &byte, 1, MSG_PEEK) == 1;
  }

  // All bytes until the server closes the connection.
  [[nodiscard]] std::string Receive() const {
    std::string bytes;
    std::array<char, 65536> piece{};
    while (true) {
      const auto got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
      if (got <= 0) {
        return bytes;
      }
      bytes.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  OwnedFd socket_;
  bool connected_ = false;
};

inline std::string SendAndReceive(std::uint16_t port, std::string_view request) {
  const TcpClient client(port);
  client.Send(request);
  return client.Receive();
}

inline std::string Get(std::uint16_t port, std::string_view path, std::string_view headers = {}) {
  return SendAndReceive(port, "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n");
}

}  // namespace procevent

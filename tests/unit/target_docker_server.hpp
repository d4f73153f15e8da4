// SPDX-License-Identifier: MIT
// A docker daemon that knows what a test tells it: HTTP on a unix socket, one request a connection.
#pragma once

#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "brownout/fd.hpp"

namespace brownout::target {

class DockerServer {
 public:
  struct Reply { int status = 200; std::string body; };

  explicit DockerServer(const std::filesystem::path& socket) : socket_(socket) {
    sockaddr_un address{.sun_family = AF_UNIX};
    REQUIRE(socket.native().size() < sizeof(address.sun_path));
    std::strncpy(address.sun_path, socket.c_str(), sizeof(address.sun_path) - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    stop_.reset(::eventfd(0, EFD_CLOEXEC));
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
  }
  ~DockerServer() {
    const std::uint64_t one = 1;
    if (thread_.joinable() && ::write(stop_.get(), &one, sizeof(one)) == sizeof(one)) thread_.join();
  }
  DockerServer(const DockerServer&) = delete;
  DockerServer& operator=(const DockerServer&) = delete;

  std::string host() const { return "unix://" + socket_.string(); }
  void knows(const std::string& name, Reply reply) { replies_["GET /containers/" + name + "/json"] = std::move(reply); }
  void answers(const std::string& path, Reply reply) { replies_["GET " + path] = std::move(reply); }
  // What is known must be told before.
  void start() { thread_ = std::thread{[this] { serve(); }}; }

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 2> polled{pollfd{stop_.get(), POLLIN, 0}, pollfd{listener_.get(), POLLIN, 0}};
      if (::poll(polled.data(), polled.size(), -1) < 0) continue;
      if (polled[0].revents != 0) return;
      answer(UniqueFd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)});
    }
  }

  void answer(const UniqueFd& connection) const {
    std::string request;
    std::array<char, 4096> buffer{};
    while (!request.contains("\r\n\r\n")) {
      const ssize_t got = ::read(connection.get(), buffer.data(), buffer.size());
      if (got <= 0) return;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    Reply reply{404, R"({"message":"No such container"})"};
    const auto known = replies_.find(request.substr(0, request.find(" HTTP/")));
    if (known != replies_.end()) reply = known->second;
    const std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\nContent-Length: " +
                             std::to_string(reply.body.size()) + "\r\nConnection: close\r\n\r\n" + reply.body;
    if (!write_all(connection.get(), text)) return; // the client's own error will say so
  }

  std::filesystem::path socket_;
  UniqueFd listener_, stop_;
  std::map<std::string, Reply> replies_;
  std::thread thread_;
};

}  // namespace brownout::target

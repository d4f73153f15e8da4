// Answers each line; "reset" and "hangup" end the connection in mid-call, "silence" leaves the call unanswered.
#include <array>
#include <stdexcept>
#include <thread>

#include "commands.hpp"

namespace vm_app {
namespace {

void close_with_reset(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void converse(Connection connection, int think_ms) try {
  while (const auto line = connection.read_line(-1)) {
    const std::int64_t received_ns = now_ns();
    if (*line == "hangup") return;
    if (*line == "reset") return close_with_reset(connection.fd());
    if (*line == "silence") continue;
    std::this_thread::sleep_for(std::chrono::milliseconds{think_ms});
    // Client and server share this machine's clock: the client can tell one way from the other.
    connection.send_line(std::to_string(received_ns) + " " + std::to_string(now_ns()));
  }
} catch (const std::system_error&) {
  // A client that went away is its own business.
}

}  // namespace

void serve(const Endpoint& endpoint, int think_ms) {
  const UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = endpoint.socket_address();
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fail(errno, "bind");
  if (::listen(listener.get(), 128) != 0) fail(errno, "listen");
  while (true) {
    UniqueFd socket{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!socket) fail(errno, "accept");
    std::thread{converse, Connection{std::move(socket)}, think_ms}.detach();
  }
}

}  // namespace vm_app

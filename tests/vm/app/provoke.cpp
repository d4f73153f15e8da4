#include <thread>

#include <fmt/format.h>

#include "commands.hpp"

namespace vm_app {
namespace {

constexpr int kPatienceMs = 1'000;

template <typename Action>
void expect_failure(const char* what, Action action) {
  try {
    action();
    fmt::print("{}: no failure\n", what);
  } catch (const std::system_error& error) {
    fmt::print("{}: {}\n", what, error.what());
  }
}

void ask(const Endpoint& server, const char* line) {
  auto connection = Connection::open(server, kPatienceMs);
  connection.send_line(line);
  if (!connection.read_line(kPatienceMs)) fail(ECONNRESET, "read");
}

// The kernel gives a connection up when data stays unacknowledged for so long.
void set_user_timeout(int fd, unsigned milliseconds) {
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
}

// Data of a connection that was open before the blackhole: retransmitted in vain.
void starve(Connection& connection) {
  set_user_timeout(connection.fd(), 1'000);
  connection.send_line("ticker");
  connection.read_line(10 * kPatienceMs);
}

void await_file(const std::filesystem::path& path) {
  while (!std::filesystem::exists(path)) std::this_thread::sleep_for(std::chrono::milliseconds{20});
}

}  // namespace

void provoke(const Endpoint& server, const Endpoint& closed, const Endpoint& blackholed,
             const std::filesystem::path& when) {
  auto open_before = Connection::open(blackholed, kPatienceMs);
  open_before.send_line("ticker");
  open_before.read_line(kPatienceMs);
  await_file(when);
  expect_failure("connect_refused", [&] { Connection::open(closed, kPatienceMs); });
  expect_failure("connect_abandoned", [&] { Connection::open(blackholed, 3 * kPatienceMs); }); // SYNs are repeated after 1 s
  expect_failure("reset_received", [&] { ask(server, "reset"); });
  expect_failure("peer_closed_unanswered", [&] { ask(server, "hangup"); });
  expect_failure("closed_unanswered", [&] { ask(server, "silence"); });
  expect_failure("kernel_gave_up", [&] { starve(open_before); });
}

}  // namespace vm_app

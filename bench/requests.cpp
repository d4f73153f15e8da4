// SPDX-License-Identifier: MIT
#include "requests.hpp"

#include <sched.h>
#include <sys/mman.h>

#include <new>
#include <thread>

#include "support/trace_sockets.hpp"

namespace brownout::bench {
namespace {

constexpr std::uint16_t kPort = 8180;

// Both sides on one CPU: the rate is then the work that a request makes. On two, where and when the scheduler wakes the
// other side decides more than what is measured here.
void share_a_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  ::sched_setaffinity(0, sizeof(set), &set);
}

int request_again_and_again(const RequestLoad& load, std::atomic<std::uint64_t>& answered) {
  const std::string request = "GET /api/v5/market/ticker?instId=BTC-USDT HTTP/1.1\r\nHost: api.example\r\n\r\n";
  std::vector<pollfd> all;
  const auto open = [&] {
    const int fd = test::connect_to(test::kHost4, kPort);
    if (fd >= 0) test::send_text(fd, request);
    return pollfd{.fd = fd, .events = POLLIN, .revents = 0};
  };
  for (int i = 0; i < load.connections; ++i) all.push_back(open());
  for (;;) {
    if (poll(all.data(), all.size(), 10'000) <= 0) return 1;
    for (auto& one : all) {
      if (one.revents == 0) continue;
      if (test::receive(one.fd, 0).empty()) return 2;
      answered.fetch_add(1, std::memory_order_relaxed);
      if (load.keep_alive) {
        test::send_text(one.fd, request);
        continue;
      }
      test::close_with_reset(one.fd);  // no TIME_WAIT: the ports would run out
      one = open();
    }
  }
}

int serve_small(const test::Steps& steps) {
  share_a_cpu();
  const int listener = test::listen_on(test::kHost4, kPort);
  steps.say('l');
  return test::serve(listener, 0, "HTTP/1.1 200 OK\r\nContent-Length: 120\r\n\r\n" + std::string(120, 'x'));
}

}  // namespace

SharedCount::SharedCount() {
  void* page = ::mmap(nullptr, sizeof(*count_), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::runtime_error("cannot map a shared page");
  count_ = new (page) std::atomic<std::uint64_t>{0};
}

SharedCount::~SharedCount() { ::munmap(count_, sizeof(*count_)); }

Requests::Requests(const BenchRoom& room, const std::filesystem::path& cgroup, const RequestLoad& load)
    : server_{"server", {.netns_of = room.host()}, serve_small},
      client_{"client", {.netns_of = room.container(), .cgroup = cgroup}, [&](const test::Steps& steps) {
        share_a_cpu();
        steps.await();  // the server listens
        return request_again_and_again(load, *answered_);
      }} {
  if (server_.await() != 'l') throw std::runtime_error("the server does not listen");
  client_.tell();
}

double Requests::rate(std::chrono::milliseconds time) const {
  const auto start = std::chrono::steady_clock::now();
  const auto before = (*answered_).load();
  std::this_thread::sleep_for(time);
  const auto answered = (*answered_).load() - before;
  if (answered == 0) throw std::runtime_error("no request was answered");
  return static_cast<double>(answered) / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace brownout::bench

// SPDX-License-Identifier: MIT
#include "streams.hpp"

#include <array>
#include <atomic>
#include <thread>

#include <sys/resource.h>

#include "sleeper.hpp"
#include "support/netns_traffic.hpp"

namespace brownout::bench {
namespace {

// Not a divisor of usual buffer sizes: the kernel counts a sender as limited by its buffer only when the buffer gets
// full in the middle of a send.
constexpr std::size_t kChunk = 100'000;
constexpr std::uint16_t kPort = 7800;
constexpr std::chrono::nanoseconds kLookEvery{1'700'000};  // in step with nothing
constexpr char kCongestion[] = "cubic";

double thread_cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

class Stream {
 public:
  Stream(const Way& way, int listener) : client_(test::socket_in(way.from, way.to_address, SOCK_STREAM)) {
    // Others pace by a model of their own, and then neither window nor line limits them. Refused where not built in:
    // the report says what was in use.
    static_cast<void>(::setsockopt(client_.get(), IPPROTO_TCP, TCP_CONGESTION, kCongestion, sizeof kCongestion - 1));
    const auto where = test::address(way.to_address, kPort);
    if (::connect(client_.get(), where.get(), where.length) != 0) throw std::runtime_error("connect");
    server_.reset(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!server_) throw std::runtime_error("accept");
    receiver_ = std::thread{[this] { receive(); }};
    sender_ = std::thread{[this] { send(); }};
  }
  ~Stream() { end(); }
  Stream(const Stream&) = delete;

  std::uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  Limit limit() const { return sender_limit(client_.get()); }
  TcpFigures figures() const { return tcp_figures(client_.get()); }
  std::string congestion() const {
    std::array<char, 32> name{};
    socklen_t size = name.size() - 1;
    ::getsockopt(client_.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size);
    return name.data();
  }
  double cpu_s() const { return cpu_s_; }
  void end() {
    if (!sender_.joinable()) return;
    ::shutdown(client_.get(), SHUT_RDWR);
    ::shutdown(server_.get(), SHUT_RDWR);
    sender_.join();
    receiver_.join();
  }

 private:
  void send() {
    const std::vector<char> chunk(kChunk, 'x');
    while (::send(client_.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL) > 0) {
    }
    cpu_s_ += thread_cpu_s();
  }
  void receive() {
    std::vector<char> chunk(kChunk);
    for (ssize_t got; (got = ::recv(server_.get(), chunk.data(), chunk.size(), 0)) > 0;)
      received_.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
    cpu_s_ += thread_cpu_s();
  }

  UniqueFd client_, server_;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<double> cpu_s_{0};
  std::thread sender_, receiver_;
};

std::uint64_t received(const std::vector<std::unique_ptr<Stream>>& streams) {
  std::uint64_t sum = 0;
  for (const auto& stream : streams) sum += stream->received();
  return sum;
}

TcpFigures figures(const std::vector<std::unique_ptr<Stream>>& streams) {
  TcpFigures sum = streams.front()->figures();
  for (std::size_t i = 1; i < streams.size(); ++i) {
    const TcpFigures one = streams[i]->figures();
    sum.busy_us += one.busy_us;
    sum.rwnd_limited_us += one.rwnd_limited_us;
    sum.sndbuf_limited_us += one.sndbuf_limited_us;
    sum.retransmits += one.retransmits;
  }
  return sum;
}

// Looks at every sender again and again for that long; the share of looks at which a window was the limit.
double watch_limits(const std::vector<std::unique_ptr<Stream>>& streams, std::chrono::milliseconds time) {
  std::uint64_t looks = 0, limited = 0;
  const std::int64_t end = monotonic_ns() + std::chrono::nanoseconds{time}.count();
  for (std::int64_t next = monotonic_ns(); next < end; next += kLookEvery.count()) {
    sleep_until_ns(next);
    for (const auto& stream : streams) limited += stream->limit() != Limit::kNone ? 1 : 0;
    looks += streams.size();
  }
  return looks == 0 ? 0 : static_cast<double>(limited) / static_cast<double>(looks);
}

}  // namespace

StreamResult run_streams(const Way& way, int flows, std::chrono::milliseconds warm_up, std::chrono::milliseconds time,
                         int receive_buffer) {
  const UniqueFd listener = test::socket_in(way.to, way.to_address, SOCK_STREAM);
  const auto where = test::address(way.to_address, kPort);
  test::set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (receive_buffer > 0) test::set_option(listener.get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer);
  if (::bind(listener.get(), where.get(), where.length) != 0 || ::listen(listener.get(), 128) != 0)
    throw std::runtime_error("listen");
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < flows; ++i) streams.push_back(std::make_unique<Stream>(way, listener.get()));

  std::this_thread::sleep_for(warm_up);
  const std::uint64_t bytes_before = received(streams);
  const TcpFigures before = figures(streams);
  const auto start = std::chrono::steady_clock::now();
  const double limited = watch_limits(streams, time);
  const std::uint64_t bytes = received(streams) - bytes_before;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  StreamResult result{.gbit_per_s = static_cast<double>(bytes) * 8 / took.count() / 1e9,
                      .senders = figures(streams),
                      .window_limited_share = limited,
                      .congestion = streams.front()->congestion()};
  result.senders.busy_us -= before.busy_us;
  result.senders.rwnd_limited_us -= before.rwnd_limited_us;
  result.senders.sndbuf_limited_us -= before.sndbuf_limited_us;
  result.senders.retransmits -= before.retransmits;
  for (const auto& stream : streams) {
    stream->end();
    result.bytes += stream->received();
    result.traffic_cpu_s += stream->cpu_s();
  }
  return result;
}

}  // namespace brownout::bench

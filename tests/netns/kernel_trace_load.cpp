// SPDX-License-Identifier: MIT
// The books under load: 500 connections through 5 % loss and 200 ms in each direction. bench/ledger runs it for 60 s.
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "support/inject_run.hpp"
#include "support/plans.hpp"
#include "support/trace_room.hpp"
#include "support/trace_sockets.hpp"

namespace kernel_trace_load_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kConnections = 500;
constexpr std::size_t kRequestBytes = 16 << 10; // a dozen segments: holes that acknowledgements show
constexpr std::uint16_t kLoadPort = 9443;

std::chrono::seconds duration() {
  const char* wanted = std::getenv("BROWNOUT_BENCH_SECONDS");
  return std::chrono::seconds{wanted ? std::strtol(wanted, nullptr, 10) : 6};
}

void allow_descriptors() {
  const rlimit many{.rlim_cur = 4096, .rlim_max = 4096};
  setrlimit(RLIMIT_NOFILE, &many);
}

// Answers with a byte for every whole request.
int answer_all(const Steps& steps) {
  allow_descriptors();
  const int listener = listen_on(kHost4, kLoadPort);
  listen(listener, 1024);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  steps.say('l');
  std::map<int, std::size_t> got;
  std::vector<pollfd> all{{.fd = listener, .events = POLLIN, .revents = 0}};
  std::string bytes(1 << 16, '\0');
  for (;;) {
    if (poll(all.data(), all.size(), -1) < 0) return 1;
    for (std::size_t i = all.size(); i-- > 1;) {
      if (all[i].revents == 0) continue;
      const int fd = all[i].fd;
      const ssize_t length = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (length < 0 && errno == EAGAIN) continue;
      if (length <= 0) {
        close(fd);
        got.erase(fd);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      for (got[fd] += static_cast<std::size_t>(length); got[fd] >= kRequestBytes; got[fd] -= kRequestBytes)
        send(fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    for (int fd = 0; (fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;)
      all.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
}

// One call after the other on each connection, until told to stop; then all are closed at once, calls in flight too.
int call_all(const Steps& steps, int stop_fd) {
  allow_descriptors();
  const std::string request(kRequestBytes, 'r');
  std::vector<pollfd> all{{.fd = stop_fd, .events = POLLIN, .revents = 0}};
  const auto where = address(kHost4, kLoadPort);
  for (std::size_t i = 0; i < kConnections; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    set_option(fd, SOL_SOCKET, SO_SNDBUF, 4 * kRequestBytes);
    connect(fd, where.get(), where.length);
    all.push_back({.fd = fd, .events = POLLOUT, .revents = 0});
  }
  steps.say('c');
  while (all[0].revents == 0) {
    if (poll(all.data(), all.size(), -1) < 0) return 1;
    for (std::size_t i = 1; i < all.size(); ++i) {
      char byte = 0;
      if ((all[i].revents & POLLIN) != 0 && recv(all[i].fd, &byte, 1, 0) != 1) return 2;
      if (all[i].revents == 0) continue;
      if (send(all[i].fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return 3;
      all[i].events = POLLIN;
    }
  }
  for (std::size_t i = 1; i < all.size(); ++i) close(all[i].fd);
  return 0;
}

struct Row { const char* name; std::uint64_t (*ours)(const brownout_trace_counters&); bool bound; };
const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"Tcp.RetransSegs", [](const auto& c) -> std::uint64_t { return c.retransmits + c.retransmits_synack; }, false},
      {"TcpExt.TCPTimeouts", [](const auto& c) -> std::uint64_t { return c.rtos; }, false},
      {"TcpExt.TCPAbortOnTimeout", [](const auto& c) -> std::uint64_t { return c.timeout_aborts; }, false},
      {"Tcp.EstabResets", [](const auto& c) -> std::uint64_t { return c.established_resets; }, false},
      {"Tcp.AttemptFails", [](const auto& c) -> std::uint64_t { return c.connects_failed; }, true},
      {"TcpExt.TCPLossProbes", [](const auto& c) -> std::uint64_t { return c.retransmits_probe; }, true},
      {"Tcp.OutRsts", [](const auto& c) -> std::uint64_t { return c.resets_sent; }, true}};
  return all;
}

// The kernel's counters before and after ours: while packets go on, ours lie between.
struct Reading {
  std::map<std::string, std::uint64_t> before, after;
  brownout_trace_counters trace{};
};
Reading read_books(const VethRoom& room, const kernel::Tracer& tracer) {
  Reading reading;
  reading.before = kernel::snmp_counters(room.container()).value();
  reading.trace = tracer.counters();
  reading.after = kernel::snmp_counters(room.container()).value();
  return reading;
}

// No socket of the container is open, half closed or an orphan any more.
bool all_closed(const VethRoom& room) {
  std::ifstream file{"/proc/" + std::to_string(room.container()) + "/net/sockstat"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("TCP: inuse 0 ")) return true; // the other numbers on the line are the whole machine's
  return false;
}

class LoadRoom {
 public:
  explicit LoadRoom(std::uint32_t ring_bytes) : cgroup_("brownout-load-" + std::to_string(getpid())), target_(target()) {
    plan_ = plan_of({FaultBuilder::loss(0.05), FaultBuilder::latency(200ms)});
    auto attached = kernel::Tracer::attach({.plan = plan_, .target = target_, .ring_bytes = ring_bytes});
    if (!attached) throw std::runtime_error(attached.error().render());
    tracer_ = std::move(*attached);
  }

  const VethRoom& room() const { return room_; }
  kernel::Tracer& tracer() { return *tracer_; }
  const plan::Plan& plan() const { return plan_; }
  Place container() const { return {.netns_of = room_.container(), .cgroup = cgroup_.path()}; }
  const std::vector<std::uint64_t>& sequences() const { return sequences_; }
  const std::map<std::uint32_t, std::uint64_t>& kinds() const { return kinds_; }

  void consume(std::chrono::milliseconds patience) {
    const auto taken = tracer_->consume(patience, [&](const auto& event) {
      sequences_.push_back(event.sequence);
      ++kinds_[event.kind];
    });
    if (!taken) throw std::runtime_error(taken.error().render());
  }
  void consume_for(std::chrono::nanoseconds time) {
    for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;)
      consume(20ms);
  }

 private:
  target::Target target() const {
    auto target = room_.target();
    target.cgroup_path = cgroup_.path();
    target.cgroup_id = cgroup_.id();
    const auto relative = std::filesystem::relative(cgroup_.path(), target::cgroup2_mount().value());
    target.cgroup_level = static_cast<int>(std::distance(relative.begin(), relative.end()));
    struct stat netns {};
    stat(("/proc/" + std::to_string(target.pid) + "/ns/net").c_str(), &netns);
    target.netns_inode = netns.st_ino;
    return target;
  }

  Cgroup cgroup_;
  VethRoom room_;
  target::Target target_;
  plan::Plan plan_;
  std::unique_ptr<kernel::Tracer> tracer_;
  std::vector<std::uint64_t> sequences_;
  std::map<std::uint32_t, std::uint64_t> kinds_;
};

// An injection by the tracer's own maps, with a beat.
class LoadInjection {
 public:
  explicit LoadInjection(LoadRoom& load) : interface_(load.room().interface()) {
    auto loaded = kernel::Injector::load({.plan = load.plan(), .interface = interface_, .tracer = load.tracer(),
                                          .means = means_, .journal = journal_.get()});
    if (!loaded) throw std::runtime_error(loaded.error().render());
    injector_ = std::move(*loaded);
    if (auto attached = injector_->attach(); !attached) throw std::runtime_error(attached.error().render());
    if (auto armed = injector_->arm(); !armed) throw std::runtime_error(armed.error().render());
    beating_ = std::jthread{[this](const std::stop_token& stop) {
      for (; !stop.stop_requested(); std::this_thread::sleep_for(50ms)) injector_->beat();
    }};
  }
  void end() {
    beating_ = {};
    REQUIRE(injector_->detach());
  }

 private:
  kernel::Interface interface_;
  kernel::Means means_ = means_under_test();
  std::unique_ptr<kernel::Journal> journal_ = journal_for(means_);
  std::unique_ptr<kernel::Injector> injector_;
  std::jthread beating_;
};

// The whole course: load under the fault, readings on the way, then everything closed and nothing under way.
std::vector<Reading> run_load(LoadRoom& load) {
  std::array<int, 2> stop{};
  REQUIRE(pipe(stop.data()) == 0);
  Process server{"server", {.netns_of = load.room().host()}, answer_all};
  REQUIRE(server.await() == 'l');
  std::vector<Reading> readings{read_books(load.room(), load.tracer())};
  LoadInjection injection{load};
  Process client{"tracee", load.container(), [&](const Steps& steps) { return call_all(steps, stop[0]); }};
  REQUIRE(client.await() == 'c');
  for (int part = 0; part < 3; ++part) {
    load.consume_for(std::chrono::nanoseconds{duration()} / 3);
    readings.push_back(read_books(load.room(), load.tracer()));
  }
  REQUIRE(write(stop[1], "s", 1) == 1);
  CHECK(client.wait() == 0);
  injection.end();
  const auto patience = std::chrono::steady_clock::now() + 90s;
  while (!all_closed(load.room()) && std::chrono::steady_clock::now() < patience) load.consume(50ms);
  CHECK(all_closed(load.room()));
  load.consume(0ms);
  readings.push_back(read_books(load.room(), load.tracer()));
  for (const int fd : stop) close(fd);
  return readings;
}

// What other CPUs have between the kernel's count and ours while packets go on, as the verdict allows it.
constexpr std::uint64_t kUnderWay = 4;

std::uint64_t lost(const brownout_trace_counters& counters) { return counters.failures_lost + counters.details_lost; }

}  // namespace

TEST_CASE("ledger: 500 connections through loss and delay: every count agrees with the kernel's", "[netns]") {
  LoadRoom load{8 << 20};
  const auto readings = run_load(load);
  const auto& first = readings.front();
  const auto& last = readings.back();
  for (const auto& row : rows()) {
    CAPTURE(row.name);
    for (const auto& reading : readings) {
      const auto ours = row.ours(reading.trace) - row.ours(first.trace);
      CHECK(ours <= reading.after.at(row.name) - first.before.at(row.name));
      const auto least = reading.before.at(row.name) - first.after.at(row.name);
      if (!row.bound) CHECK(ours + kUnderWay >= least);
    }
    const auto kernels = last.after.at(row.name) - first.before.at(row.name);
    fmt::print("{:<26} kernel {:>8}, traced {:>8}\n", row.name, kernels, row.ours(last.trace));
    CHECK(row.ours(last.trace) <= kernels);
    if (!row.bound) CHECK(row.ours(last.trace) == kernels);
  }
  const auto& counters = last.trace;
  fmt::print("{} events attempted, {} written, {} lost, {} over the budget, {} runs of programs missed, {} changes and retransmits "
             "shown by one source only; {} calls completed, {} failed\n",
             +counters.events_attempted, +counters.events_written, lost(counters), +counters.details_suppressed,
             +counters.programs_missed, +counters.source_disagreement, +counters.calls_completed[1], +counters.calls_failed[1]);
  CHECK(counters.retransmits > 100);
  CHECK(load.kinds().at(BROWNOUT_EVENT_RETRANSMIT_FAST) > 0);
  CHECK(load.kinds().at(BROWNOUT_EVENT_RETRANSMIT_RTO) > 0);
  CHECK(counters.source_disagreement <= kConnections / 100);
  CHECK(counters.out_of_scope_here == 0);
  CHECK(lost(counters) == 0);
  CHECK(counters.events_attempted == counters.events_written);
  CHECK(load.sequences().size() == counters.events_written);
}

TEST_CASE("ledger: what a tiny ring has no room for is counted to the last event", "[netns]") {
  LoadRoom load{4096};
  const auto readings = run_load(load);
  const auto& counters = readings.back().trace;
  CHECK(counters.failures_lost > 0);
  CHECK(counters.events_attempted == counters.events_written + lost(counters));
  CHECK(load.sequences().size() == counters.events_written);
  const std::set<std::uint64_t> unique(load.sequences().begin(), load.sequences().end());
  CHECK(unique.size() == load.sequences().size());
  CHECK(counters.events_attempted - unique.size() == lost(counters));
  const auto kernels = readings.back().after.at("Tcp.RetransSegs") - readings.front().before.at("Tcp.RetransSegs");
  CHECK(counters.retransmits == kernels);
}

}  // namespace kernel_trace_load_test

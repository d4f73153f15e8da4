// SPDX-License-Identifier: MIT
// One thread of the delay line hangs, by itself: the drill's loop goes on beating, and so do the other threads.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "support/inject_probe.hpp"
#include "support/inject_run.hpp"

namespace kernel_inject_hung_thread_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

std::vector<pid_t> threads_named(pid_t process, const std::string& name) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", process)}) {
    std::string comm;
    std::getline(std::ifstream{entry.path() / "comm"}, comm);
    if (comm == name) found.push_back(std::stoi(entry.path().filename().string()));
  }
  return found;
}

// Stopped as a debugger does it; SIGSTOP would take its whole process.
class HungThread {
 public:
  explicit HungThread(pid_t thread) : thread_(thread) {
    REQUIRE(::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0);
    REQUIRE(::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0);
    int status = 0;
    REQUIRE(::waitpid(thread_, &status, __WALL) == thread_);
    REQUIRE(WIFSTOPPED(status));
  }
  ~HungThread() { go_on(); }
  HungThread(const HungThread&) = delete;
  void go_on() {
    if (std::exchange(hangs_, false)) ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }

 private:
  pid_t thread_;
  bool hangs_ = true;
};

std::uint64_t await_expired(InjectRun& run) {
  const auto expired = [&run] { return run->line_counters()[BROWNOUT_INGRESS].expired; };
  const auto deadline = std::chrono::steady_clock::now() + 3s;
  while (expired() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);  // those of the same moment
  return expired();
}

}  // namespace

TEST_CASE("one thread of the delay line that hangs ends the delay of its direction; what it held reaches nobody",
          "[delay_line]") {
  constexpr int kFlows = 16, kEach = 5;
  const VethRoom room;
  {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const Process child{"injector", Place{.netns_of = room.host()}, [&](const Steps& steps) {
                          InjectRun run{room, plan_of({FaultBuilder::latency(100ms)}), {.line_queues = 2}};
                          steps.say('a');
                          steps.await();
                          const std::uint64_t expired = await_expired(run);
                          static_cast<void>(!::write(pipe[1], &expired, sizeof expired));
                          ::pause();
                          return 0;
                        }};
    REQUIRE(child.await() == 'a');
    const auto threads = threads_named(child.pid(), fmt::format("brownout-line{}", BROWNOUT_INGRESS));
    REQUIRE(threads.size() == 2);

    HungThread hung{threads.front()};
    const auto hung_since = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<DatagramPath>> paths;
    for (int flow = 0; flow < kFlows; ++flow) {
      paths.push_back(std::make_unique<DatagramPath>(room.host(), kHost4, room.container(), kContainer4,
                                                     static_cast<std::uint16_t>(7100 + flow)));
      for (int i = 0; i < kEach; ++i) paths.back()->send();
    }
    REQUIRE(std::chrono::steady_clock::now() - hung_since < 900ms);  // the delay still acts
    const auto recovered = await_recovery(room, 3s);
    REQUIRE(recovered);
    CHECK(std::chrono::steady_clock::now() - hung_since < 1500ms);
    // Real time has to pass: what it holds must become older than its departure and one second.
    std::this_thread::sleep_until(hung_since + 2500ms);

    std::uint64_t by_the_other = 0;
    for (const auto& path : paths) by_the_other += path->received();
    hung.go_on();
    child.tell();
    std::uint64_t expired = 0;
    REQUIRE(::read(pipe[0], &expired, sizeof expired) == sizeof expired);
    std::uint64_t received = 0;
    for (const auto& path : paths) received += path->received();
    CHECK(expired > 0);
    CHECK(by_the_other > 0);
    CHECK(received == by_the_other);
    CHECK(expired >= std::uint64_t{kFlows} * kEach - received);  // probes of the first second are among them
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_hung_thread_test

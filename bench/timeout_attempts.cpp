// SPDX-License-Identifier: MIT
#include "timeout_attempts.hpp"

#include <algorithm>
#include <list>

#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "support/trace_watch.hpp"

namespace brownout::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kPatienceNs = 60'000'000'000;
constexpr std::uint16_t kFirstPort = 2000; // below the ports that clients get

[[noreturn]] void become(int out, std::vector<std::string> command) {
  dup2(out, STDOUT_FILENO);
  dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDERR_FILENO);
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char*, 3> environment{const_cast<char*>("PATH=/usr/bin:/bin"), const_cast<char*>("LC_ALL=C"), nullptr};
  execve(arguments[0], arguments.data(), environment.data());
  _exit(127);
}

// A client while it runs. It has ended when nobody holds the other end of its stdout.
class Running {
 public:
  Running(Attempt& attempt, const test::Place& place) : attempt_(attempt) {
    const Situation& situation = *attempt.situation;
    const auto command = attempt.client->arguments(attempt.address, attempt.port, situation.connect_ms,
                                                   situation.read_ms, situation.option);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    said_ = UniqueFd{ends[0]};
    const UniqueFd theirs{ends[1]};
    attempt_.begun_ns = monotonic_ns();
    process_ = std::make_unique<test::Process>("starting", place, [&](const test::Steps&) -> int {
      become(theirs.get(), command);
    });
    attempt_.pid = static_cast<std::uint32_t>(process_->pid());
  }

  // True when it is over.
  bool look() {
    pollfd ready{.fd = said_.get(), .events = POLLIN, .revents = 0};
    while (poll(&ready, 1, 0) == 1) {
      std::array<char, 512> part{};
      const ssize_t length = read(said_.get(), part.data(), part.size());
      if (length <= 0) return end(process_->wait());
      attempt_.said.append(part.data(), static_cast<std::size_t>(length));
    }
    if (monotonic_ns() - attempt_.begun_ns < kPatienceNs) return false;
    kill(process_->pid(), SIGKILL);
    return end(process_->wait());
  }

 private:
  bool end(int code) {
    attempt_.ended_ns = monotonic_ns();
    attempt_.exit_code = code;
    attempt_.said = attempt_.said.substr(0, attempt_.said.find('\n'));
    return true;
  }

  Attempt& attempt_;
  UniqueFd said_;
  std::unique_ptr<test::Process> process_;
};

std::string address_of(const Situation& situation, int number) {
  std::string address = situation.address;
  if (const auto star = address.find('*'); star != std::string::npos)
    address.replace(star, 1, std::to_string(number % kSources));
  return address;
}

std::vector<Listening> listening(const std::vector<Attempt>& all) {
  std::vector<Listening> wanted;
  for (const Attempt& attempt : all)
    if (attempt.situation->behaviour) wanted.push_back({attempt.port, *attempt.situation->behaviour});
  return wanted;
}

plan::Plan plan_for_all() {
  auto plan = test::plan_for(0);
  plan.faults.front().abi.match.peer_port_high = 65535;
  return plan;
}

// A tracer, and every event of it.
class Recording {
 public:
  Recording(const TimeoutRoom& room, bool waits) : plan_(plan_for_all()), target_(room.room().target()) {
    plan_.drill.trace_waits = waits;
    auto tracer = kernel::Tracer::attach({.plan = plan_, .target = target_, .details_per_second = 1'000'000});
    if (!tracer) throw std::runtime_error(tracer.error().render());
    tracer_ = std::move(*tracer);
  }
  void take(std::chrono::milliseconds timeout) {
    const auto taken = tracer_->consume(timeout, [this](const auto& event) { events_.push_back(event); });
    if (!taken) throw std::runtime_error(taken.error().render());
  }
  std::vector<brownout_event> all() {
    for (std::size_t before = events_.size() + 1; before != events_.size();) {
      before = events_.size();
      take(0ms);
    }
    const auto counters = tracer_->counters();
    if (counters.events_written != counters.events_attempted) throw std::runtime_error("the tracer lost events");
    return events_;
  }

 private:
  plan::Plan plan_;
  target::Target target_;
  std::unique_ptr<kernel::Tracer> tracer_;
  std::vector<brownout_event> events_;
};

bool is_of(const brownout_event& event, const Attempt& attempt) {
  const auto time = static_cast<std::int64_t>(event.t_mono_ns);
  return event.flow.peer_port == attempt.port ||
         (event.pid == attempt.pid && time >= attempt.begun_ns && time <= attempt.ended_ns);
}

void hand_out(const std::vector<brownout_event>& events, std::vector<Attempt>& all) {
  for (Attempt& attempt : all)
    std::ranges::copy_if(events, std::back_inserter(attempt.events),
                         [&](const auto& event) { return is_of(event, attempt); });
}

}  // namespace

std::vector<Attempt> attempts(const std::vector<TimeoutClient>& clients, int tries) {
  std::vector<Attempt> all;
  std::uint16_t port = kFirstPort;
  for (int i = 0; i < tries; ++i)
    for (const Situation& situation : situations())
      for (const TimeoutClient& client : clients)
        if (client.missing.empty() && applies(situation, client))
          all.push_back({.situation = &situation,
                         .client = &client,
                         .address = address_of(situation, port),
                         .port = port++});
  return all;
}

void run(const TimeoutRoom& room, std::vector<Attempt>& all, const AttemptOptions& options) {
  const auto ports = listening(all);
  test::Process server{"server", room.room().server(), [&](const test::Steps& steps) {
    return misbehave(steps, test::kServerAddress, ports);
  }};
  if (server.await() != 'l') throw std::runtime_error("the server does not listen");
  Recording recording{room, options.waits};
  std::list<Running> running;
  for (auto next = all.begin(); next != all.end() || !running.empty();) {
    while (next != all.end() && running.size() < options.at_once) running.emplace_back(*next++, room.room().client());
    recording.take(20ms);
    running.remove_if([](Running& one) { return one.look(); });
  }
  hand_out(recording.all(), all);
}

}  // namespace brownout::bench

// SPDX-License-Identifier: MIT
#include "program_lister.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "brownout/clock.hpp"
#include "brownout/pidfd.hpp"
#include "brownout/privileges.hpp"

namespace brownout::kernel {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kPacket = std::size_t{1} << 15;
constexpr std::size_t kLongestAnswer = std::size_t{16} << 20;
constexpr std::chrono::seconds kOverhead{2};
constexpr int kToEndMs = 4000; // what one tool may take, and a little

// One line: what a tool printed may be no UTF-8, and no line feed of it is one of the answer.
std::string encode(const std::vector<Listing>& listings) {
  auto all = json::array();
  for (const auto& listing : listings)
    all.push_back({{"file", listing.file},
                   {"command", listing.command},
                   {"text", listing.text},
                   {"problem", listing.problem},
                   {"exit_code", listing.exit_code},
                   {"t_mono_ns", listing.t_mono_ns},
                   {"duration_ns", listing.duration_ns}});
  return all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

// bpftool reads the kernel's whole BTF and every process's descriptors, while a fault acts and the application is measured:
// it gets little of a busy CPU, but not nothing, for it holds the kernel's locks as well. A session of its own is a group of
// its own to the scheduler (sched(7), autogroup), whose weight counts instead.
void stand_back() {
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, 19));
  if (const auto group = open_file("/proc/self/autogroup", O_WRONLY)) static_cast<void>(write_all(group->get(), "19"));
}

std::vector<Listing> decode(const std::string& text) {
  std::vector<Listing> listings;
  for (const auto& listing : json::parse(text))
    listings.push_back({.file = listing.at("file"),
                        .command = listing.at("command"),
                        .text = listing.at("text"),
                        .problem = listing.at("problem"),
                        .exit_code = listing.at("exit_code"),
                        .t_mono_ns = listing.at("t_mono_ns"),
                        .duration_ns = listing.at("duration_ns")});
  return listings;
}

bool send_packets(int socket, std::string_view text) {
  for (; !text.empty(); text.remove_prefix(std::min(kPacket, text.size())))
    if (::send(socket, text.data(), std::min(kPacket, text.size()), MSG_NOSIGNAL) < 0) return false;
  return true;
}

Result<std::string> receive_line(int socket, SteadyClock::time_point deadline) {
  std::string text;
  std::array<char, kPacket> packet{};
  while (!text.ends_with('\n')) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd one{socket, POLLIN, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::max<long>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return fail(ErrorCode::kKernel, "the process that lists programs does not answer");
    const auto got = ::recv(socket, packet.data(), packet.size(), MSG_DONTWAIT);
    if (got <= 0 || text.size() > kLongestAnswer)
      return fail(ErrorCode::kKernel, "the process that lists programs has ended");
    text.append(packet.data(), static_cast<std::size_t>(got));
  }
  return text;
}

Result<std::vector<Listing>> ask(int socket, std::chrono::milliseconds patience) {
  if (!send_packets(socket, std::to_string(patience.count()))) return fail(ErrorCode::kKernel, "the process that lists programs has ended");
  BROWNOUT_ASSIGN(const auto answer,
                  receive_line(socket, SteadyClock::now() + patience + kOverhead));
  return decode(answer);
}

bool nobody_asks() {
  pollfd one{STDOUT_FILENO, 0, 0};
  return ::poll(&one, 1, 0) == 1;  // POLLHUP
}

// Empty: nobody can ask any more.
std::optional<std::chrono::milliseconds> next_question() {
  std::array<char, 32> asked{};
  const auto got = ::read(STDOUT_FILENO, asked.data(), asked.size());
  long milliseconds = 0;
  if (got <= 0 || std::from_chars(asked.data(), asked.data() + got, milliseconds).ec != std::errc{}) return std::nullopt;
  return std::chrono::milliseconds{milliseconds};
}

// A tool holds a program or a link while it lists it: when the drill has died, the one that runs is the last one.
std::vector<Listing> list_while_asked(const std::vector<Command>& commands, SteadyClock::time_point deadline) {
  std::vector<Listing> listings;
  for (const auto& command : commands)
    if (!nobody_asks()) listings.push_back(std::move(run_commands({command}, deadline).front()));
  return listings;
}

}  // namespace

ProgramLister::ProgramLister(const std::string& host_device, const std::string& cgroup,
                             const std::filesystem::path& executable)
    : commands_(commands_on_programs(host_device, cgroup)),
      process_(start_companion("the process that lists programs", executable,
                               {"brownout", "list-programs", host_device, cgroup})) {}

ProgramLister::~ProgramLister() {
  if (!process_) return;
  process_->socket.reset();
  // By itself, so that no tool is left behind without anybody to end it.
  if (!has_ended(process_->process, kToEndMs)) ::kill(process_->pid, SIGKILL);
  while (::waitpid(process_->pid, nullptr, 0) < 0 && errno == EINTR) {}
}

std::vector<Listing> ProgramLister::list(std::chrono::milliseconds patience) {
  if (!process_) return unavailable(process_.error().render());
  auto listings = ask(process_->socket.get(), patience);
  if (listings) return *std::move(listings);
  process_->socket.reset();  // an answer that comes too late is none to the next question
  return unavailable(listings.error().render());
}

std::vector<Listing> ProgramLister::unavailable(const std::string& why) const {
  std::vector<Listing> listings;
  for (const auto& command : commands_)
    listings.push_back({.file = command.file,
                        .command = fmt::format("{} {}", command.program, fmt::join(command.arguments, " ")),
                        .problem = why,
                        .t_mono_ns = monotonic_ns()});
  return listings;
}

Result<> list_programs(const std::string& host_device, const std::string& cgroup) {
  ::prctl(PR_SET_NAME, "brownout-list");
  stand_back();
  BROWNOUT_TRY(forbid_new_privileges());
  BROWNOUT_TRY(keep_only(kProgramListerNeeds));
  const auto commands = commands_on_programs(host_device, cgroup);
  say_ready();
  while (const auto patience = next_question())
    if (!send_packets(STDOUT_FILENO, encode(list_while_asked(commands, SteadyClock::now() + *patience)))) break;
  return {};
}

}  // namespace brownout::kernel

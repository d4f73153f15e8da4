// SPDX-License-Identifier: MIT
// RTOs are told in jiffies. The kernel's configuration, where their length stands, is not always readable, so they
// are counted against the clock until only one rate fits: some 90 ms, at attach.
#include <array>
#include <bpf/bpf.h>
#include <ctime>
#include <optional>

#include "brownout/clock.hpp"
#include "trace_object.hpp"

namespace brownout::kernel {

namespace {

constexpr std::int64_t kPatienceNs = 2'000'000'000;
constexpr std::array<std::uint32_t, 4> kRates{100, 250, 300, 1000}; // all that CONFIG_HZ offers on x86-64 and arm64
// A count of whole ticks is off by one at most; a virtual machine may hand out a tick late, so two.
constexpr double kSlack = 2;

struct Sample {
  std::uint64_t jiffies = 0;
  std::uint64_t at_ns = 0;
};

std::optional<Sample> read_sample(trace_bpf& object) {
  constexpr std::array<char, 64> packet{}; // its kind of program is run on one; nobody reads it
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(), .data_size_in = packet.size());
  if (bpf_prog_test_run_opts(bpf_program__fd(object.progs.trace_jiffies), &options) != 0) return std::nullopt;
  const volatile auto& seen = *object.bss;
  return Sample{.jiffies = seen.jiffies_read, .at_ns = seen.jiffies_read_ns};
}

// The one rate that explains both samples; 0 while several do.
std::uint32_t only_rate(const Sample& first, const Sample& last) {
  const double seconds = static_cast<double>(last.at_ns - first.at_ns) / 1e9;
  const auto ticks = static_cast<double>(last.jiffies - first.jiffies);
  std::uint32_t fits = 0;
  for (const std::uint32_t rate : kRates) {
    const double expected = rate * seconds;
    if (ticks < expected - kSlack || ticks > expected + kSlack) continue;
    if (fits != 0) return 0;
    fits = rate;
  }
  return fits;
}

}  // namespace

std::uint32_t measure_jiffies_per_second(trace_bpf& object) {
  constexpr timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
  const auto first = read_sample(object);
  const std::int64_t deadline = monotonic_ns() + kPatienceNs;
  while (first && monotonic_ns() < deadline) {
    nanosleep(&pause, nullptr);
    const auto last = read_sample(object);
    if (!last) return 0;
    if (const auto rate = only_rate(*first, *last); rate != 0) return rate;
  }
  return 0;
}

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
#include "backend.hpp"

#include "support/inject_run.hpp"

namespace brownout::bench {
namespace {

using namespace std::chrono_literals;

nlohmann::json line_figures(kernel::Injector& injector) {
  nlohmann::json lines = nlohmann::json::array();
  for (const auto& line : injector.line_counters())
    lines.push_back({{"received", line.received},
                     {"reinjected", line.reinjected},
                     {"overflow", line.overflow},
                     {"expired", line.expired},
                     {"write_errors", line.write_errors},
                     {"foreign", line.foreign},
                     {"device_drops", line.device_drops},
                     {"late_p50_us", line.late_p50_us},
                     {"late_p99_us", line.late_p99_us},
                     {"late_max_us", line.late_max_us}});
  return lines;
}

// Our own injector, as a drill would use it.
class OwnInjection final : public Injection {
 public:
  OwnInjection(const BenchRoom& room, std::chrono::nanoseconds delay, const kernel::Means& means)
      : run_(room.veth(),
             test::plan_of({test::FaultBuilder::latency(std::max<std::chrono::nanoseconds>(delay, 1us))}, 1, 30min),
             {.means = means}) {}
  nlohmann::json figures() override {
    const auto counters = run_->counters();
    return {{"description", run_->description()},
            {"lines", line_figures(*run_)},
            {"redirected", {counters.redirected[0].packets, counters.redirected[1].packets}},
            {"redirect_failed", {counters.redirect_failed[0], counters.redirect_failed[1]}}};
  }

 private:
  test::InjectRun run_;
};

// netem on both ends of the veth: the reference where the kernel has it.
class Netem final : public Injection {
 public:
  Netem(const BenchRoom& room, std::chrono::nanoseconds delay) : host_(room.host()), container_(room.container()) {
    set(host_, test::kHostDevice, delay);
    set(container_, test::kContainerDevice, delay);
  }
  ~Netem() override {
    remove(host_, test::kHostDevice);
    remove(container_, test::kContainerDevice);
  }
  nlohmann::json figures() override { return nlohmann::json::object(); }

  static std::string missing(const BenchRoom& room) {
    try {
      const Netem tried{room, 1ms};
      return "";
    } catch (const std::runtime_error&) {
      return "this kernel has no netem";
    }
  }

 private:
  static void set(pid_t where, const std::string& device, std::chrono::nanoseconds delay) {
    test::run_in(where, {"tc", "qdisc", "replace", "dev", device, "root", "netem", "limit", "1000000", "delay",
                         std::to_string(delay.count() / 1000) + "us"});
  }
  static void remove(pid_t where, const std::string& device) {
    try {
      test::run_in(where, {"tc", "qdisc", "delete", "dev", device, "root"});
    } catch (const std::runtime_error&) {  // nothing was set there
    }
  }
  pid_t host_, container_;
};

std::string always(const BenchRoom&) { return ""; }

Backend own(drill::Backend which) {
  const auto means = kernel::choose_means(which, true);
  return {std::string{drill::backend_name(which)},
          [means](const BenchRoom&) { return means ? "" : means.error().render(); },
          [means](const BenchRoom& room, std::chrono::nanoseconds delay) {
            return std::make_unique<OwnInjection>(room, delay, *means);
          }};
}

}  // namespace

std::vector<Backend> backends() {
  return {{"none", always, [](const BenchRoom&, std::chrono::nanoseconds) { return std::unique_ptr<Injection>{}; }},
          {"netem", Netem::missing,
           [](const BenchRoom& room, std::chrono::nanoseconds delay) { return std::make_unique<Netem>(room, delay); }},
          own(drill::Backend::kEdt),
          own(drill::Backend::kDelayLine)};
}

}  // namespace brownout::bench

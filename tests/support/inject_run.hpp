// SPDX-License-Identifier: MIT
// An injector on the room's veth, armed, with somebody who beats for it. Cases of the tag [delay_line] look at that
// backend's own device, threads or queue; [tcx] expects that all dies with a killed process.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "brownout/journal.hpp"
#include "support/netns_fixture.hpp"
#include "support/netns_traffic.hpp"
#include "support/plans.hpp"
#include "support/shared_maps.hpp"

namespace brownout::test {

// BROWNOUT_TEST_BACKEND=edt|delay_line: by the best means of this kernel, instead of the delay line on tcx.
inline kernel::Means means_under_test() {
  const char* wanted = std::getenv("BROWNOUT_TEST_BACKEND");
  if (!wanted) return {.backend = drill::Backend::kDelayLine};
  auto means = kernel::choose_means(
      std::string_view{wanted} == "edt" ? drill::Backend::kEdt : drill::Backend::kDelayLine, true);
  if (!means) throw std::runtime_error(means.error().render());
  return *means;
}

// What hooks that outlive the process are written into; null for those that do not.
inline std::unique_ptr<kernel::Journal> journal_for(const kernel::Means& means,
                                                    const std::filesystem::path& directory = kernel::kJournalDirectory) {
  if (means.hook != kernel::HookKind::kClsact) return {};
  auto journal = kernel::Journal::open(directory);
  if (!journal) throw std::runtime_error(journal.error().render());
  return std::move(*journal);
}

struct InjectHow {
  kernel::Means means = means_under_test();
  std::filesystem::path journals = kernel::kJournalDirectory;
  std::size_t line_queues = 0;
};

class InjectRun {
 public:
  InjectRun(const VethRoom& room, plan::Plan plan, const InjectHow& how = {})
      : plan_(std::move(plan)), interface_(room.interface()), journal_(journal_for(how.means, how.journals)) {
    auto loaded = kernel::Injector::load({.plan = plan_,
                                          .interface = interface_,
                                          .tracer = maps,
                                          .means = how.means,
                                          .journal = journal_.get(),
                                          .line_queues = how.line_queues});
    if (!loaded) throw std::runtime_error(loaded.error().render());
    injector_ = std::move(*loaded);
    if (auto attached = injector_->attach(); !attached) throw std::runtime_error(attached.error().render());
    if (auto armed = injector_->arm(); !armed) throw std::runtime_error(armed.error().render());
    beating_ = std::jthread{[this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        injector_->beat();
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
      }
    }};
  }

  kernel::Injector& operator*() { return *injector_; }
  kernel::Injector* operator->() { return injector_.get(); }
  void stop_beating() { beating_ = {}; }

  SharedMaps maps;

 private:
  plan::Plan plan_;
  kernel::Interface interface_;
  std::unique_ptr<kernel::Journal> journal_;
  std::unique_ptr<kernel::Injector> injector_;
  std::jthread beating_;
};

// Nothing is lost without a counter: what the programs redirected is what user space received or the device dropped,
// and what it received is accounted for.
inline void check_conservation(kernel::Injector& injector) {
  const auto counters = injector.counters();
  const auto lines = injector.line_counters();
  std::uint64_t redirected = 0, received = 0;
  for (std::size_t d = 0; d < BROWNOUT_DIRECTIONS; ++d) {
    const auto& line = lines[d];
    redirected += counters.redirected[d].packets;
    received += line.received;
    CHECK(line.received ==
          line.reinjected + line.held + line.overflow + line.expired + line.write_errors + line.foreign);
    CHECK(counters.reinjected[d].packets == line.reinjected);
  }
  CHECK(redirected == received + lines[0].device_drops);
}

}  // namespace brownout::test

// SPDX-License-Identifier: MIT
// What is said beforehand of a drill's objects, against what is there when it injects.
#include <set>
#include <sstream>

#include <catch2/catch_test_macros.hpp>

#include "brownout/rehearsal.hpp"
#include "support/inject_run.hpp"
#include "support/scratch_directory.hpp"
#include "support/trace_room.hpp"

namespace kernel_inject_rehearsal_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

using Objects = std::multiset<std::string>;

std::string kept(const std::string& name) { return name.substr(0, BPF_OBJ_NAME_LEN - 1); }

// Links and devices have no name that was known before; default qdiscs are the kernel's own doing.
Objects planned_objects(const kernel::Rehearsal& rehearsal, bool conditional) {
  Objects objects;
  for (const auto& object : rehearsal.objects) {
    if (object.only_if.empty() == conditional) continue;
    switch (object.kind) {
      case kernel::ObjectKind::kProgram: objects.insert("program " + kept(object.name)); break;
      case kernel::ObjectKind::kMap: objects.insert("map " + kept(object.name)); break;
      case kernel::ObjectKind::kLink: objects.insert("link"); break;
      case kernel::ObjectKind::kDevice: objects.insert("device"); break;
      case kernel::ObjectKind::kFilter: break; // of a program that is there, on a qdisc that is there
      case kernel::ObjectKind::kQdisc:
        if (!object.detail.starts_with("the other end")) objects.insert("qdisc " + object.name); // else in another namespace
        break;
    }
  }
  return objects;
}

Objects made_since(const ObjectCensus& before) {
  Objects objects;
  const auto now = ObjectCensus::take();
  for (const auto& line : now.lines()) {
    if (before.lines().contains(line)) continue;
    std::istringstream words{line};
    std::string kind, first, name;
    words >> kind >> first >> name;
    if (kind == "interface") objects.insert("device");
    if (kind == "qdisc" && (first == "fq" || first == "clsact")) objects.insert("qdisc " + first);
    if (kind == "link") objects.insert("link");
    if (kind == "program" || kind == "map") objects.insert(kind + " " + name);
  }
  return objects;
}

std::string listed(const Objects& objects) { return fmt::format("{}", fmt::join(objects, "\n")); }

void check_as_rehearsed(const plan::Plan& plan, const kernel::Means& means) {
  const ScratchDirectory journals;
  const Cgroup cgroup{"brownout-rehearsal-" + std::to_string(::getpid())};
  const VethRoom room;
  auto target = room.target();
  cgroup.put_into(target);
  const auto interface = room.interface();
  const auto before = ObjectCensus::take();
  const auto rehearsal = kernel::rehearse(plan, target, interface, means);
  REQUIRE(rehearsal);
  CHECK(before.difference_after_waiting() == "");
  const auto always = planned_objects(*rehearsal, false), perhaps = planned_objects(*rehearsal, true);
  {
    const auto journal = journal_for(means, journals.path());
    auto tracer = kernel::Tracer::attach({.plan = plan, .target = target});
    REQUIRE(tracer);
    auto injector = kernel::Injector::load({.plan = plan, .interface = interface, .tracer = **tracer, .means = means, .journal = journal.get()});
    REQUIRE(injector);
    const auto witness = kernel::DropWitness::attach(interface.host_ifindex);
    REQUIRE((*injector)->attach());
    const auto made = made_since(before);
    Objects missing, unsaid;
    std::ranges::set_difference(always, made, std::inserter(missing, missing.end()));
    std::ranges::set_difference(made, always, std::inserter(unsaid, unsaid.end()));
    CHECK(listed(missing) == "");
    INFO("unsaid: " << listed(unsaid) << "\nperhaps: " << listed(perhaps));
    CHECK(std::ranges::includes(perhaps, unsaid));
    CHECK(always.contains("program from_container"));
    REQUIRE((*injector)->detach());
  }
  CHECK(room.leftovers() == "");
}

}  // namespace

TEST_CASE("rehearsal: what a drill makes was said before, name by name") {
  check_as_rehearsed(plan_of({FaultBuilder::latency(50ms, 5ms), FaultBuilder::loss(0.1)}), means_under_test());
}

TEST_CASE("rehearsal: nor is anything said of delays where nothing is late, or of filters where there is a clsact", "[tcx]") {
  check_as_rehearsed(plan_of({FaultBuilder::loss(0.1)}), {});
  check_as_rehearsed(plan_of({FaultBuilder::latency(50ms)}), {.hook = kernel::HookKind::kClsact, .backend = drill::Backend::kDelayLine});
}

TEST_CASE("rehearsal: a packet's cost is that of programs that ran") {
  const VethRoom room;
  const Cgroup cgroup{"brownout-rehearsal-" + std::to_string(::getpid())};
  auto target = room.target();
  cgroup.put_into(target);
  const auto cost_of = [&](const FaultBuilder& fault) {
    auto rehearsal = kernel::rehearse(plan_of({fault}), target, room.interface(), {});
    REQUIRE(rehearsal);
    REQUIRE(rehearsal->cost);
    return *rehearsal->cost;
  };
  const auto narrow = cost_of(FaultBuilder::blackhole().cidr("2001:db8::", 32).port(443).directions(kIngressOnly));
  REQUIRE(narrow.missed_ns);
  for (const double took : {narrow.hit_ns, *narrow.missed_ns}) {
    CHECK(took > 10);
    CHECK(took < 1e6);
  }
  CHECK_FALSE(cost_of(FaultBuilder::blackhole()).missed_ns);
}

}  // namespace kernel_inject_rehearsal_test

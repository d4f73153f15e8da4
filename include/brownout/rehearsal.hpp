// SPDX-License-Identifier: MIT
// Stage 4, too. What a drill would make in the kernel, found out by the code that makes it, without attaching anything.
//
// Programs and maps are loaded as for the drill, so that this kernel's verifier is asked, looked at, and freed again before
// it returns. Nothing is attached, no packet is touched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brownout/kernel.hpp"

namespace brownout::kernel {

enum class ObjectKind : std::uint8_t { kProgram, kMap, kLink, kFilter, kDevice, kQdisc };
std::string_view name(ObjectKind kind); // "program"

struct PlannedObject {
  ObjectKind kind = ObjectKind::kProgram;
  // Of a program or map; the kernel itself keeps 15 characters of it. Of a link or filter: of its program. Of a device: a
  // pattern, with * for what is only known once it is there.
  std::string name;
  std::string detail;      // a program's or map's type, else where it is put
  std::uint64_t bytes = 0; // of a program or map: memory that the kernel accounts for it
  std::string only_if;     // empty: in any case
};

// What the injector's program takes for a packet, by running it here on one (BPF_PROG_TEST_RUN), attached nowhere.
struct PacketCost {
  std::optional<double> missed_ns; // that no fault matches; none: there is no such packet
  double hit_ns = 0;               // that the first fault matches, up to where it is dropped or handed on
};

struct Rehearsal {
  std::vector<PlannedObject> objects;
  std::vector<std::string> not_observed;   // what this kernel cannot show, as Tracer::not_observed()
  std::vector<std::string> qdiscs;         // on the veth, as it is
  std::vector<std::string> other_programs; // on its hooks; ours goes ahead of them
  std::optional<PacketCost> cost;          // none: this kernel does not run them so
};
// Errors are those with which the drill would end before its baseline.
Result<Rehearsal> rehearse(const plan::Plan& plan, const target::Target& target, const Interface& interface, const Means& means);

}  // namespace brownout::kernel

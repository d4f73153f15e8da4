// SPDX-License-Identifier: MIT
// The steps of run(), up to where the first thing would be attached.
#include "preview.hpp"

#include <utility>

#include <fmt/format.h>

#include "blast_radius.hpp"
#include "brownout/run.hpp"
#include "privileges.hpp"
#include "target_lock.hpp"

namespace brownout::run {
namespace {

// What run() would refuse now, the first of it.
Result<> refuse_now(const std::filesystem::path& drill, const plan::Plan& plan, const Aim& aim) {
  BROWNOUT_TRY(refuse_bystanders(drill, plan, aim));
  return TargetLock::look(aim.target);
}

}  // namespace

double share_of_cpu(const kernel::PacketCost& cost, double packets_per_second) {
  return cost.hit_ns * packets_per_second / 1e9;
}

Result<Preview> preview(const PreviewOptions& options) {
  BROWNOUT_ASSIGN(auto loaded, options.drill.load());
  BROWNOUT_ASSIGN(const auto plan, plan::compile(std::move(loaded), 0));
  BROWNOUT_TRY(begin_set_up());
  BROWNOUT_ASSIGN(const auto aim, take_aim(plan));
  std::optional<PacketAnswer> answer;
  if (options.packet) {
    BROWNOUT_ASSIGN(answer, explain_packet(*options.packet, plan, aim.target));
  }
  const auto allowed = refuse_now(options.drill.file, plan, aim);
  BROWNOUT_ASSIGN(const auto means, kernel::choose_means(plan.drill.backend, plan.needs_delay_line));
  const auto reach = reach_of(plan, aim);
  const Intent intent{plan, aim, means, reach};
  BROWNOUT_ASSIGN(const auto rehearsal, kernel::rehearse(plan, aim.target, aim.interface, means));
  Preview preview{.text = fmt::format("drill {}\n", plan.drill.name) + describe(intent) + describe(rehearsal, intent),
                  .json = to_json(intent)};
  preview.json["kernel"] = to_json(rehearsal, intent);
  preview.json["refused"] = allowed ? nlohmann::json() : nlohmann::json(allowed.error().render());
  if (!allowed) preview.refusal = allowed.error();
  if (answer) {
    preview.text += answer->text;
    preview.json["packet"] = std::move(answer->json);
  }
  return preview;
}

}  // namespace brownout::run

// SPDX-License-Identifier: MIT
// The plan, and all that it is compiled from.
#include "brownout/bundle.hpp"
#include "brownout/fd.hpp"
#include "document.hpp"
#include "layout.hpp"

namespace brownout::bundle {

Result<> stage_plan(const plan::Plan& plan, const std::filesystem::path& staging) {
  BROWNOUT_TRY(write_file(staging / kDrill, plan.drill.text));
  BROWNOUT_TRY(write_file(staging / kPlan, document(plan::to_json(plan))));
  if (plan.drill.tables.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(staging / kJitterTables, error);
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + (staging / kJitterTables).string());
  for (std::size_t i = 0; i < plan.drill.tables.size(); ++i)
    BROWNOUT_TRY(write_file(staging / jitter_table_path(i), plan.drill.tables[i].text));
  return sync_directory(staging / kJitterTables);
}

}  // namespace brownout::bundle

// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "brownout/events.hpp"
#include "support/scratch_directory.hpp"
#include "targets.hpp"

namespace brownout::fuzz {
namespace {

struct Run {
  Run() {
    test::spill(scratch / "run_1/run_manifest.json", "");
    app.run_dir = (scratch / "run_*").string();
    app.require = {{"/mode", "okx_demo_api"}, {"/account/0/kind", 1}};
  }
  test::ScratchDirectory scratch;
  drill::App app;
};

}  // namespace

bool manifest(std::string_view text) {
  static const Run run;
  test::spill(run.scratch / "run_1/run_manifest.json", text);
  const auto found = events::RunDirectory::find(run.app, {.name = "us", .pid = ::getpid()});
  if (!found) {
    require(!found.error().what.empty(), "refused without a reason");
    return false;
  }
  const auto read = (*found)->manifest();
  require(read && read->at("run_id") == "run_1" && read->at("mode") == "okx_demo_api", "another manifest than required");
  return true;
}

}  // namespace brownout::fuzz

// SPDX-License-Identifier: MIT
// One archive that stock tools open and check, the same bytes for the same evidence.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <sys/stat.h>
#include <sys/wait.h>

#include "../support/bundle_fixture.hpp"

namespace bundle_seal_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

int shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string name_of(const bundle::Sealed& sealed) {
  const std::string file = sealed.archive.filename().string();
  return file.substr(0, file.size() - std::string{".tar.gz"}.size());
}

}  // namespace

TEST_CASE("names carry run, drill and time, and nothing that a file name cannot") {
  CHECK(bundle::bundle_name("run_1", "C2", 1'766'455'254 * kSecond) == "IEB_run_1_C2_20251223_020054");
  CHECK(bundle::bundle_name("../ü x", "d", 0) == "IEB_..____x_d_19700101_000000");
}

TEST_CASE("the same evidence gives the same bytes") {
  const auto plan = fixture_plan();
  const ScratchDirectory one, other, first, second;
  stage(one.path(), plan);
  fs::copy(one.path(), other.path(), fs::copy_options::recursive);
  const auto a = seal_staged(one.path(), first.path(), plan);
  ::usleep(1'100'000);  // whatever carries the time of day would differ now
  const auto b = seal_staged(other.path(), second.path(), plan);
  CHECK(a.archive.filename() == b.archive.filename());
  CHECK(a.sha256 == b.sha256);
  CHECK(slurp(a.archive) == slurp(b.archive));
}

TEST_CASE("tar and sha256sum are enough to open and check a bundle") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out, opened;
  stage(staging.path(), plan);
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  CHECK(sealed.size == fs::file_size(sealed.archive));
  CHECK(sealed.sha256 == sha256(slurp(sealed.archive)));
  CHECK(shell(fmt::format("cd '{}' && sha256sum -c --strict --quiet *.sha256", out.path().string())) == 0);
  CHECK(shell(fmt::format("LC_ALL=C tar xzf '{}' -C '{}'", sealed.archive.string(), opened.path().string())) == 0);
  const auto top = opened / name_of(sealed);
  CHECK(shell(fmt::format("cd '{}' && sha256sum -c --strict --quiet SHA256SUMS.txt", top.string())) == 0);
  CHECK(slurp(top / "run_dir/日志/app.log") == "started\n");
  CHECK(slurp(top / "drill.yaml") == plan.drill.text);
  // Every file is listed: nothing can be slipped in beside the sums.
  CHECK(shell(fmt::format("cd '{}' && test $(find . -type f | wc -l) -eq $(( $(wc -l < SHA256SUMS.txt) + 1 ))",
                          top.string())) == 0);
  struct stat status {};
  REQUIRE(::stat((top / "manifest.json").c_str(), &status) == 0);
  CHECK(status.st_mtim.tv_sec == kSealedAt / kSecond);
  CHECK((status.st_mode & 07777) == 0644);
}

TEST_CASE("the archive is its owner's alone, and nothing temporary is left beside it") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  struct stat status {};
  REQUIRE(::stat(sealed.archive.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(std::distance(fs::directory_iterator{out.path()}, {}) == 3);
  CHECK(slurp(sealed.archive.string() + ".sha256") == sealed.sha256 + "  " + sealed.archive.filename().string() + "\n");
}

TEST_CASE("a report beside the archive says path, size and digest of it, and the operators' fields") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  const auto text = "\n" + slurp(out / (name_of(sealed) + ".report.txt"));
  for (const auto& line :
       {fmt::format("archive: {}", sealed.archive.filename().string()),
        fmt::format("archive_path: {}", sealed.archive.string()), fmt::format("archive_size: {}", sealed.size),
        fmt::format("archive_sha256: {}", sealed.sha256), std::string{"verdict: PASS"}, fmt::format("run_id: {}", kRunId),
        std::string{"missing_required_files_count: 0"}, std::string{"drill_status: completed"},
        std::string{"drill_stop_detected: false"}, std::string{"drill_stop_reason: null"}, std::string{"status: null"}}) {
    INFO(line << " in " << text);
    CHECK(text.contains("\n" + line + "\n"));
  }
  CHECK_THAT(text, ContainsSubstring("rule: respected: nothing of brownout is left in the kernel") &&
                       ContainsSubstring("rule: not_checked: nothing that is protected was changed"));
}

TEST_CASE("the manifest says what follows from the records, whatever it was given") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan, EvidenceBuilder{}.then([](events::Evidence& evidence) {
    evidence.run_files->missing_required = {"execution_fingerprint.json"};
  }));
  auto manifest = fixture_manifest(plan);
  manifest.json["missing_required_files_count"] = 0;
  manifest.json["windows"] = "none";
  const auto [evidence, findings] = value_of(findings::read(plan, staging.path()));
  const auto verdict = verdict::judge(plan, evidence, findings);
  REQUIRE(bundle::seal(staging.path(), out.path(), "IEB_x", manifest, plan, verdict, kSealedAt));
  const auto written = nlohmann::json::parse(slurp(staging / "manifest.json"));
  CHECK(written["missing_required_files_count"] == 1);
  CHECK(written["windows"]["inject"]["start_mono_ns"] == kWindowStart);
  // 10 s of 43 s in, while the wall clock gained 1000 ns on the monotonic one.
  CHECK(written["windows"]["inject"]["start_utc"] == format_utc(kWindowStart + kUtcOffset + 232));
  CHECK(written["ending"]["ending"] == "completed");
  CHECK(written["bundle"] == "IEB_x");
  CHECK(written["bundle_format"] == 5);
  CHECK(written["records"]["kernel_events"] == findings.events);
}

TEST_CASE("a bundle is never written over") {
  const auto plan = fixture_plan();
  const ScratchDirectory one, other, out;
  stage(one.path(), plan);
  stage(other.path(), plan);
  const auto sealed = seal_staged(one.path(), out.path(), plan);
  const auto [evidence, findings] = value_of(findings::read(plan, other.path()));
  const auto verdict = verdict::judge(plan, evidence, findings);
  const auto again =
      bundle::seal(other.path(), out.path(), name_of(sealed), fixture_manifest(plan), plan, verdict, kSealedAt);
  REQUIRE_FALSE(again);
  CHECK(again.error().errno_value == EEXIST);
  CHECK(sha256(slurp(sealed.archive)) == sealed.sha256);
  CHECK(std::distance(fs::directory_iterator{out.path()}, {}) == 3);
}

TEST_CASE("an archive whose digest or report cannot be written beside it is not there, and can be sealed again") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  const auto [evidence, findings] = value_of(findings::read(plan, staging.path()));
  const auto verdict = verdict::judge(plan, evidence, findings);
  for (const char* name : {"IEB_x.tar.gz.sha256", "IEB_x.report.txt"}) {
    fs::create_directory(out / name);
    CHECK_FALSE(bundle::seal(staging.path(), out.path(), "IEB_x", fixture_manifest(plan), plan, verdict, kSealedAt));
    CHECK(std::distance(fs::directory_iterator{out.path()}, {}) == 1);
    fs::remove(out / name);
  }
  CHECK(bundle::seal(staging.path(), out.path(), "IEB_x", fixture_manifest(plan), plan, verdict, kSealedAt));
}

TEST_CASE("what has no place in a bundle is not sealed") {
  const auto plan = fixture_plan();
  const ScratchDirectory staging, out;
  stage(staging.path(), plan);
  const auto [evidence, findings] = value_of(findings::read(plan, staging.path()));
  const auto verdict = verdict::judge(plan, evidence, findings);
  const auto refusal = [&](const char* name) {
    const auto sealed =
        bundle::seal(staging.path(), out.path(), name, fixture_manifest(plan), plan, verdict, kSealedAt);
    return sealed ? std::string{"sealed"} : sealed.error().what;
  };
  CHECK_THAT(refusal("a/b"), ContainsSubstring("cannot be a bundle's name"));
  CHECK_THAT(refusal(".."), ContainsSubstring("cannot be a bundle's name"));
  spill(staging / "notes.txt", "x");
  CHECK_THAT(refusal("IEB_x"), ContainsSubstring("notes.txt has no place in a bundle"));
  fs::remove(staging / "notes.txt");
  fs::create_symlink("/etc/hostname", staging / "run_dir/link");
  CHECK_THAT(refusal("IEB_x"), ContainsSubstring("run_dir/link has no place in a bundle symbolic link"));
  fs::remove(staging / "run_dir/link");
  fs::remove(staging / "plan.json");
  CHECK_THAT(refusal("IEB_x"), ContainsSubstring("lacks plan.json"));
  CHECK(fs::is_empty(out.path()));
}

}  // namespace bundle_seal_test

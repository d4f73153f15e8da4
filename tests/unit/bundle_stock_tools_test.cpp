// SPDX-License-Identifier: MIT
// docs/verify-without-brownout.md, command by command, on a fresh bundle and on ones that were tampered with.
#include <cstdlib>
#include <random>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/run_logs.hpp"
#include "../support/time_stamp_room.hpp"
#include "brownout/subprocess.hpp"

namespace bundle_stock_tools_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

// The page's blocks of shell in their order, each command on its own: the first that fails ends it.
std::string script_for(const std::string& name) {
  const auto page = slurp(fs::path{BROWNOUT_SOURCE_DIR} / "docs/verify-without-brownout.md");
  static constexpr std::string_view kBegin = "```sh\n", kEnd = "```";
  std::string script = "set -e\n";
  for (auto begin = page.find(kBegin); begin != std::string::npos; begin = page.find(kBegin, begin)) {
    begin += kBegin.size();
    script += page.substr(begin, page.find(kEnd, begin) - begin);
  }
  for (auto place = script.find("NAME"); place != std::string::npos; place = script.find("NAME", place))
    script.replace(place, 4, name);
  return script;
}

struct Room {
  TimeStampRoom authority;
  ScratchDirectory directory;
  fs::path archive;
  std::string name;

  Room() {
    const ScratchDirectory staging;
    const auto plan = fixture_plan();
    const LogRoom log;
    begin(log, run_of("docker demo"));
    const auto run_log = entry_of(log, begin(log, run_of("docker demo")));
    stage(staging.path(), plan, EvidenceBuilder{}.rates(4, 3).failures(8).then([&](Evidence& evidence) {
      evidence.timeline.push_back({.t_mono_ns = kStart, .kind = "run_log", .fields = run_log});
    }));
    const auto stamping = value_of(bundle::TimestampAuthority::open(authority.url()));
    const auto signer = value_of(
        bundle::Signer::open({.key = signing_keys().of("ed25519"), .attestation_key = signing_keys().of("pem")}));
    archive = seal_staged(staging.path(), directory.path(), plan, &signer, &stamping).archive;
    name = archive.stem().stem().string();
    fs::copy_file(signing_keys().allowed(), directory / "allowed_signers");
    fs::copy_file(authority.ca(), directory / "tsa.pem");
    authority.stamp(archive, archive.string() + ".tsr");
  }
  // What is wrong by the page; empty: nothing.
  std::string run() const {
    spill(directory / "page.sh", "cd '" + directory.path().string() + "'\n" + script_for(name));
    const auto finished =
        value_of(run_program("/bin/bash", {(directory / "page.sh").string()}, std::chrono::minutes{2}));
    if (finished.exit_code == 0 && !finished.out.contains("WRONG")) return {};
    return "status " + std::to_string(finished.exit_code) + "\n" + finished.out + finished.err;
  }
  void pack_again(const std::vector<TarMember>& members) const {
    pack(archive, members);
    spill(archive.string() + ".sha256", sha256(slurp(archive)) + "  " + archive.filename().string() + "\n");
    fs::remove_all(directory / name);
  }
};

}  // namespace

TEST_CASE("the commands for stock tools hold a fresh bundle, and find what was tampered with") {
  const Room room;
  CHECK(room.run() == "");
  const auto whole = unpack(room.archive);

  auto members = whole;
  find_member(members, "verdict.json").content += "\n";
  room.pack_again(members);
  CHECK_THAT(room.run(), ContainsSubstring("verdict.json: FAILED"));
  relist(members);
  room.pack_again(members);
  CHECK_THAT(room.run(), ContainsSubstring("incorrect signature"));

  members = whole;
  find_member(members, "SHA256SUMS.txt.tsr").content[200] ^= 1;
  room.pack_again(members);
  CHECK_THAT(room.run(), ContainsSubstring("status 1"));
  auto manifest = nlohmann::json::parse(find_member(members, "manifest.json").content);
  manifest["run_log"]["run"]["previous"] = nullptr;
  members = whole;
  find_member(members, "manifest.json").content = manifest.dump(2) + "\n";
  room.pack_again(members);
  CHECK_THAT(room.run(), ContainsSubstring("manifest.json: FAILED"));

  members = whole;
  members.push_back({room.name + "/run_dir/extra", "x"});
  room.pack_again(members);
  CHECK_THAT(room.run(), ContainsSubstring("run_dir/extra"));

  members = whole;
  find_member(members, "attestation.dsse.json").content =
      find_member(members, "attestation.dsse.json").content.replace(40, 1, "A");
  room.pack_again(members);
  CHECK(room.run() != "");
}

TEST_CASE("the commands for the chain find what its owner left out") {
  const ScratchDirectory staging, out;
  const auto plan = fixture_plan();
  stage(staging.path(), plan, EvidenceBuilder{}.rates(4, 3).failures(8));
  const auto sealed = seal_staged(staging.path(), out.path(), plan);
  const auto name = sealed.archive.stem().stem().string();
  shell_or_throw(fmt::format("tar xzf '{}' -C '{}'", sealed.archive.string(), out.path().string()));
  const auto page = script_for(name);
  const auto begin = page.find("previous="), end = page.find("jq -r '.verdict, .reasons[]'");
  spill(out / "chain.sh", "cd '" + (out / name).string() + "'\n" + page.substr(begin, end - begin));
  const auto says = [&] {
    return value_of(run_program("/bin/bash", {(out / "chain.sh").string()}, std::chrono::minutes{1})).out;
  };
  CHECK_THAT(says(), ContainsSubstring("chain: " + sealed.chain_head + "\ntrue\n") && !ContainsSubstring("WRONG"));
  const auto timeline = out / name / "timeline.jsonl";
  const auto whole = slurp(timeline);
  auto changed = whole;
  changed[changed.size() / 2] ^= 1;
  spill(timeline, changed);
  CHECK_THAT(says(), ContainsSubstring("WRONG: timeline.jsonl, "));
  spill(timeline, whole + whole);
  CHECK_THAT(says(), ContainsSubstring("WRONG: timeline.jsonl goes on behind byte"));
}

// BROWNOUT_FLIPS=300 build/dev/tests/test_unit '[.flips-stock]'
TEST_CASE("flipped bits against stock tools", "[.flips-stock]") {
  const char* wanted = std::getenv("BROWNOUT_FLIPS");
  const int flips = wanted != nullptr ? std::atoi(wanted) : 300;
  const Room room;
  const auto whole = unpack(room.archive);
  const auto bytes = slurp(room.archive);
  const auto digest = slurp(room.archive.string() + ".sha256");
  std::mt19937_64 random{1};
  const auto check = [&](const std::string& command) {
    return std::system(
               fmt::format("cd '{}' && {{ {}; }} >/dev/null 2>&1", room.directory.path().string(), command).c_str()) ==
           0;
  };
  const auto tree = fmt::format(
      "cd {} && sha256sum -c --strict --quiet SHA256SUMS.txt && ssh-keygen -Y verify -f ../allowed_signers -I "
      "drill@example.org -n brownout-evidence@v1 -s SHA256SUMS.txt.sig < SHA256SUMS.txt",
      room.name);
  shell_or_throw(fmt::format("tar xzf '{}' -C '{}'", room.archive.string(), room.directory.path().string()));
  REQUIRE(check(tree));
  REQUIRE(check("sha256sum -c --strict *.sha256"));
  int exempt = 0;
  for (int i = 0; i < flips; ++i) {
    auto changed = bytes;
    changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    spill(room.archive, changed);
    CHECK_FALSE(check("sha256sum -c --strict *.sha256"));
    const auto& member = whole[random() % whole.size()];
    // Attestation and time stamp have checks of their own, and an empty file has no bits.
    if (member.content.empty() || member.path.ends_with(".dsse.json") || member.path.ends_with(".tsr")) continue;
    auto content = member.content;
    content[random() % content.size()] ^= static_cast<char>(1 << random() % 8);
    spill(room.directory / member.path, content);
    INFO(member.path);
    if (member.path.ends_with(".sig") && check(tree)) {
      ++exempt;
    } else {
      CHECK_FALSE(check(tree));
    }
    spill(room.directory / member.path, member.content);
  }
  WARN(flips << " flips of the archive and of its files; of the signature's text, " << exempt
             << " changed nothing that is decoded");
}

}  // namespace bundle_stock_tools_test

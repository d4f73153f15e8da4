// SPDX-License-Identifier: MIT
#include "audit.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace brownout::run {
namespace {

using nlohmann::json;

constexpr const char* kCommit = "git_commit";
constexpr const char* kTag = "docker_image_tag";
constexpr const char* kUnknown = "unknown";

using Claims = std::map<std::string, std::vector<target::Fact>>; // by fact, the better source first

std::string known_text(const json& manifest, const char* key) {
  const auto found = manifest.is_object() ? manifest.find(key) : manifest.end();
  if (found == manifest.end() || !found->is_string() || *found == kUnknown) return {};
  return found->get<std::string>();
}

std::string why_not(const json& manifest, const char* key, const std::string& file) {
  if (!manifest.is_object()) return "there is no manifest of the app";
  return manifest.contains(key) ? fmt::format("{}: {} is {}", file, key, manifest.at(key).dump())
                                : fmt::format("{} has no {}", file, key);
}

// Checkouts are the last to be asked, and only count when they agree: which of two runs, nobody here can tell.
std::vector<target::Fact> commits_of(const std::vector<events::Checkout>& checkouts) {
  std::vector<target::Fact> commits;
  for (const auto& checkout : checkouts)
    if (!checkout.commit.empty())
      commits.push_back({kCommit, checkout.commit,
                         fmt::format("the checkout at {} in the container{}", checkout.path,
                                     checkout.ref.empty() ? "" : ", " + checkout.ref)});
  return commits;
}

bool agree(const std::vector<target::Fact>& facts) {
  return std::ranges::all_of(facts, [&facts](const target::Fact& fact) { return fact.value == facts.front().value; });
}

json others(const std::vector<target::Fact>& facts, std::size_t from) {
  json list = json::array();
  for (std::size_t i = from; i < facts.size(); ++i)
    list.push_back({{"value", facts[i].value}, {"source", facts[i].source}});
  return list;
}

json known(const std::vector<target::Fact>& facts) {
  json fact{{"value", facts.front().value}, {"source", facts.front().source}};
  if (facts.size() > 1) fact["also"] = others(facts, 1);
  return fact;
}

json unknown(const AuditInputs& inputs, const char* name) {
  json tried = json::array({why_not(inputs.app_manifest, name, inputs.manifest_file)});
  for (const auto& what : inputs.provenance.tried) tried.push_back(what);
  if (std::string_view{name} == kCommit) {
    tried.push_back("the drill has no app.git_commit");
    tried.push_back("no label org.opencontainers.image.revision");
    if (inputs.checkouts.empty()) tried.push_back("no mount of the container has a .git");
    for (const auto& checkout : inputs.checkouts)
      if (!checkout.problem.empty()) tried.push_back(fmt::format("{}: {}", checkout.path, checkout.problem));
  } else {
    tried.push_back("no runtime names an image with a tag");
  }
  return {{"value", kUnknown}, {"source", nullptr}, {"tried", std::move(tried)}};
}

}  // namespace

json audit_facts(const AuditInputs& inputs) {
  Claims claims;
  for (const char* key : {kCommit, kTag})
    if (auto said = known_text(inputs.app_manifest, key); !said.empty())
      claims[key].push_back({key, std::move(said), fmt::format("the app's {}", inputs.manifest_file)});
  if (!inputs.drill_commit.empty()) claims[kCommit].push_back({kCommit, inputs.drill_commit, "the drill's app.git_commit"});
  for (const auto& fact : inputs.provenance.facts) claims[fact.name].push_back(fact);
  const auto commits = commits_of(inputs.checkouts);
  const bool told_apart = !claims[kCommit].empty() || agree(commits);
  if (told_apart) claims[kCommit].insert(claims[kCommit].end(), commits.begin(), commits.end());
  json facts = json::object();
  for (const auto& [name, said] : claims)
    if (!said.empty()) facts[name] = known(said);
  for (const char* key : {kCommit, kTag})
    if (!facts.contains(key)) facts[key] = unknown(inputs, key);
  if (!told_apart) {
    facts[kCommit]["tried"].push_back("checkouts of different commits: which of them runs is not known");
    facts[kCommit]["also"] = others(commits, 0);
  }
  return facts;
}

json audit(const plan::Plan& plan, const target::Target& target, const events::RunDirectory* run_directory) {
  AuditInputs inputs{.provenance = target::provenance_of(target, plan.drill.target),
                     .checkouts = events::checkouts_of(target.pid)};
  if (plan.drill.app) {
    inputs.manifest_file = plan.drill.app->manifest;
    inputs.drill_commit = plan.drill.app->git_commit;
  }
  if (run_directory != nullptr)
    if (auto manifest = run_directory->manifest()) inputs.app_manifest = std::move(*manifest);
  return audit_facts(inputs);
}

}  // namespace brownout::run

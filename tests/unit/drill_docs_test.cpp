// SPDX-License-Identifier: MIT
// docs/drill.md speaks of every key that the parser knows, and its example of a refusal is real.
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "brownout/drill.hpp"
#include "drill_corpus.hpp"

namespace drill_docs_test {

using namespace brownout;

namespace {

const std::string kDocs = std::string{BROWNOUT_SOURCE_DIR} + "/docs";

// Every key that stands under some "properties" of the schema, which a test holds against the parser.
void collect_keys(const nlohmann::json& schema, std::set<std::string>& keys) {
  if (schema.is_array())
    for (const auto& item : schema) collect_keys(item, keys);
  if (!schema.is_object()) return;
  for (const auto& [name, value] : schema.items()) {
    if (name == "properties")
      for (const auto& [key, unused] : value.items()) keys.insert(key);
    collect_keys(value, keys);
  }
}

}  // namespace

TEST_CASE("the documentation names every key of the schema") {
  const std::string text = content_of(kDocs + "/drill.md");
  std::set<std::string> keys;
  collect_keys(nlohmann::json::parse(content_of(kDocs + "/drill.schema.json")), keys);
  CHECK(keys.size() > 40);
  for (const auto& key : keys) {
    INFO(key);
    CHECK((text.contains("`" + key + "`") || text.contains(key + ": ")));
  }
}

TEST_CASE("the documented refusal is what the parser says") {
  const std::string start = "brownout: 1\nname: x\ntarget: {pid: 1}\nfaults:\n" + std::string(11, '\n');
  const std::string fault = "  - blackhole: {}\n    match: {protocol: tcp, port: 70000}\n";
  const auto refused = drill::parse(start + fault, "drill.yaml");
  REQUIRE_FALSE(refused);
  CHECK(content_of(kDocs + "/drill.md").contains("```\n" + refused.error().render() + "\n```"));
}

}  // namespace drill_docs_test

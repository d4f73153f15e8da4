// SPDX-License-Identifier: MIT
// report.html: what evidence can put into it, how large it can grow, and that it is the same each time.
#include <regex>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <openssl/evp.h>

#include "../support/long_drill.hpp"

namespace bundle_html_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

std::string between(const std::string& text, std::string_view start, std::string_view end) {
  const auto from = text.find(start);
  REQUIRE(from != std::string::npos);
  const auto to = text.find(end, from + start.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + start.size(), to - from - start.size());
}

json data_of(const std::string& page) {
  return json::parse(between(page, "<script type=\"application/json\" id=\"data\">", "</script>"));
}

const json& table_of(const json& bundle, std::string_view caption) {
  for (const auto& table : bundle.at("tables"))
    if (table.at("caption") == caption) return table;
  FAIL("no table " << caption);
  return bundle;
}

std::string page_of(const std::filesystem::path& evidence) { return value_of(bundle::html_report({evidence})); }

struct Staged {
  ScratchDirectory staging, out;
  bundle::Sealed sealed;
  explicit Staged(EvidenceBuilder builder) {
    const auto plan = fixture_plan();
    stage(staging.path(), plan, std::move(builder));
    sealed = seal_staged(staging.path(), out.path(), plan);
  }
  std::string page() const { return slurp(staging / "report.html"); }
};

EvidenceBuilder with_message(const std::string& message) {
  return EvidenceBuilder{}.failures(2).then([message](events::Evidence& evidence) {
    for (auto& snapshot : evidence.snapshots) {
      if (snapshot.t_mono_ns < kWindowStart + 10 * kSecond || !snapshot.new_errors.empty()) continue;
      events::AppError error{.index = 99, .utc_ns = snapshot.t_mono_ns + kUtcOffset - 200 * kMillisecond};
      error.type = "parse_error";
      error.message = message;
      snapshot.new_errors.push_back(error);
      break;
    }
  });
}

// What a browser would hash, the short way.
std::string policy_source(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(), nullptr);
  unsigned char base64[64];
  EVP_EncodeBlock(base64, digest, static_cast<int>(length));
  return "'sha256-" + std::string{reinterpret_cast<const char*>(base64)} + "'";
}

std::size_t count_of(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("an app's words are text in the page, whatever they are") {
  const std::string message = "</script><script>alert(1)</script><!--<b>&amp; {{script}} \u2028\u2029 \"'\\";
  const Staged bundle{with_message(message)};
  const auto page = bundle.page();
  CHECK(count_of(page, "</script>") == 3);
  CHECK(!page.contains("alert(1)</"));
  CHECK(!page.contains("<!--<b>"));
  CHECK(!page.contains("\u2028"));
  const auto data = data_of(page);
  const auto& rows = table_of(data.at(0), "Errors of the app that no failed call explains").at("rows");
  REQUIRE(rows.size() == 1);
  CHECK_THAT(rows[0][4].get<std::string>(), ContainsSubstring("</script><script>alert(1)</script><!--<b>&amp; {{script}} "));
}

TEST_CASE("the page asks for nothing, and runs only what it was made with") {
  const Staged bundle{EvidenceBuilder{}};
  const auto page = bundle.page();
  const auto policy = between(page, "Content-Security-Policy\" content=\"", "\"");
  CHECK(policy.starts_with("default-src 'none'; script-src 'sha256-"));
  CHECK(!policy.contains("unsafe"));
  CHECK(!policy.contains("http"));
  CHECK_THAT(policy, ContainsSubstring("style-src " + policy_source(between(page, "<style>", "</style>")) + ";"));
  const auto scripts = page.substr(page.find("<script>"));
  const auto library = between(scripts, "<script>", "</script>");
  const auto ours = between(scripts.substr(scripts.find("</script>")), "<script>", "</script>");
  CHECK_THAT(policy, ContainsSubstring("script-src " + policy_source(library) + " " + policy_source(ours) + ";"));
  CHECK_THAT(library, ContainsSubstring("dygraphs, https://dygraphs.com/, MIT License"));
  CHECK(!page.contains("sourceMappingURL"));
  CHECK(!std::regex_search(ours, std::regex{R"(innerHTML|insertAdjacentHTML|document\.write|eval\(|https?:)"}));
  const auto markup = page.substr(0, page.find("<style>")) + between(page, "</style>", "<script type");
  CHECK(!std::regex_search(markup, std::regex{R"((\ssrc=|\sstyle=|\shref="[^#]))"}));
}

TEST_CASE("verdict, reasons, axis and moments are what the findings have") {
  const Staged bundle{EvidenceBuilder{}.recorded(20)};
  const auto data = data_of(bundle.page()).at(0);
  const auto verdict = json::parse(slurp(bundle.staging / "verdict.json"));
  CHECK(data.at("verdict") == verdict.at("verdict"));
  CHECK(data.at("reasons") == verdict.at("reasons"));
  CHECK(table_of(data, "Every check, by rules fixed before the drill").at("rows").size() == verdict.at("checks").size());
  CHECK(table_of(data, "Failed calls that the app recorded").at("rows").size() == 20);
  CHECK(table_of(data, "Failed calls that the app did not record").at("rows").size() == 10);
  const auto& axis = data.at("axis");
  CHECK(axis.at("zero_utc") == format_utc(kWindowStart + kUtcOffset + 232));
  CHECK(axis.at("phases").at(1) == json{{"phase", "inject"}, {"start", 0.0}, {"end", 20.0}, {"complete", true}});
  const auto& series = data.at("series");
  const auto bins = series.at("t").size();
  CHECK(bins == 43);
  for (const auto& [plot, lines] : series.at("plots").items())
    for (const auto& [label, values] : lines.items()) CHECK(values.size() == bins);
  const auto& failed = series.at("plots").at("failures");
  const auto sum = [](const json& values) { return std::accumulate(values.begin(), values.end(), 0, [](int all, const json& one) { return all + one.get<int>(); }); };
  CHECK(sum(failed.at("closed_unanswered")) == 30);
  CHECK(sum(failed.at("recorded by the app")) == 20);
  const auto& latency = series.at("plots").at("latency");
  const auto& round_trip = series.at("plots").at("round_trip");
  const std::size_t before = 4, during = 15; // bins
  CHECK(latency.at("p50").at(before).get<double>() < 15);
  CHECK(latency.at("p50").at(during).get<double>() > 290);
  CHECK(latency.at("planned median").at(before).is_null());
  CHECK(latency.at("planned median").at(during).get<double>() > 300);
  CHECK(round_trip.at("p50").at(before).get<double>() < 15);
  CHECK(round_trip.at("p50").at(during).get<double>() > 290);
  CHECK(series.at("plots").at("packets").at("drops planned").at(during).get<double>() > 0);
  CHECK(series.at("plots").at("packets").at("delayed").at(before) == 0);
}

TEST_CASE("a long drill with many failures makes a page of bounded size") {
  const ScratchDirectory directory;
  write_long_drill({.events = 8'000, .failures = 600, .seconds = 2'200}, directory.path());
  const auto page = page_of(directory.path());
  const auto data = data_of(page).at(0);
  CHECK(data.at("series").at("t").size() <= findings::kMostBins);
  CHECK(data.at("series").at("t").size() > findings::kMostBins / 2);
  std::uint64_t rows = 0;
  for (const auto& table : data.at("tables")) {
    CHECK(table.at("rows").size() <= 500);
    if (table.at("moments") == true) rows += table.at("rows").size() + table.at("left_out").get<std::uint64_t>();
  }
  CHECK(rows >= 600);
  CHECK(page.size() < 2'000'000);
}

TEST_CASE("the page is the same each time, from the archive and from its files") {
  const Staged bundle{EvidenceBuilder{}};
  const auto page = bundle.page();
  CHECK(page_of(bundle.staging.path()) == page);
  CHECK(page_of(bundle.sealed.archive) == page);
  const auto both = value_of(bundle::html_report({bundle.sealed.archive, bundle.staging.path()}));
  CHECK(data_of(both).size() == 2);
  CHECK(data_of(both).at(0) == data_of(page).at(0));
}

TEST_CASE("evidence without an injection, or without samples, makes a page, too") {
  const Staged idle{EvidenceBuilder{}.idle()};
  CHECK(data_of(idle.page()).at(0).at("verdict") == "NOT_MEASURABLE");
  const Staged blank{EvidenceBuilder{}.idle().then([](events::Evidence& evidence) { evidence.counters.clear(); })};
  CHECK(data_of(blank.page()).at(0).at("series").at("t").empty());
}

TEST_CASE("evidence that is not there makes no page") {
  const ScratchDirectory directory;
  const auto page = bundle::html_report({directory / "nothing.tar.gz"});
  REQUIRE(!page);
  CHECK_THAT(page.error().render(), ContainsSubstring("nothing.tar.gz"));
}

}  // namespace bundle_html_test

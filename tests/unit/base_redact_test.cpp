// SPDX-License-Identifier: MIT
// What must not get into a bundle: taken out of text and JSON, in the spellings in which apps write it; and what has to
// stay.
#include <chrono>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "brownout/redact.hpp"

namespace base_redact_test {

using namespace brownout;
using nlohmann::json;

namespace {

struct Spelling { std::string before, after; };

Redactor with(const std::vector<std::string>& patterns) {
  auto redactor = Redactor::make(patterns);
  REQUIRE(redactor);
  return *std::move(redactor);
}

}  // namespace

TEST_CASE("secrets are taken out of text, whatever they are written in") {
  const Spelling spelling = GENERATE(values<Spelling>({
      // URLs: host and path stay
      {"GET https://api.example:8443/v5/order?ordId=1&sign=hunter2 HTTP/1.1",
       "GET https://api.example:8443/v5/order?REDACTED_url_query HTTP/1.1"},
      {"url: /v5/order?sign=hunter2 (Caused by ReadTimeout)",
       "url: /v5/order?REDACTED_url_query (Caused by ReadTimeout)"},
      {"https://h/p#access=hunter2", "https://h/p#REDACTED_url_query"},
      {"https://h?x=hunter2", "https://h?REDACTED_url_query"},
      {"see 'https://h/p?a=hunter2', then", "see 'https://h/p?REDACTED_url_query', then"},
      {"https://h/p?f='hunter2'&y=hunter2 next", "https://h/p?REDACTED_url_query next"},
      {R"({"url":"https:\/\/h\/p?a=1\u0026s=hunter2"})", R"({"url":"https:\/\/h\/p?REDACTED_url_query"})"},
      {R"("{\"url\":\"https://h/p?s=hunter2\",\"n\":1}")", R"("{\"url\":\"https://h/p?REDACTED_url_query\",\"n\":1}")"},
      {"postgres://bob:hunter2@db.example:5432/x", "postgres://REDACTED_url_userinfo@db.example:5432/x"},
      {"https://hunter2@h/p", "https://REDACTED_url_userinfo@h/p"},
      // headers
      {"Authorization: Bearer hunter2\r\nHost: h", "Authorization: REDACTED_authorization\r\nHost: h"},
      {"{'Authorization': 'Bearer hunter2', 'Accept': '*/*'}",
       "{'Authorization': 'REDACTED_authorization', 'Accept': '*/*'}"},
      {"[('authorization', 'Basic hunter2'), ('accept', 'x')]",
       "[('authorization', 'REDACTED_authorization'), ('accept', 'x')]"},
      {R"("Proxy-Authorization: Digest a=\"hunter2\"")", R"("Proxy-Authorization: REDACTED_authorization")"},
      {"Cookie: a=\"x\"; sid=hunter2\nnext", "Cookie: REDACTED_cookie\nnext"},
      {R"("Cookie: a=b; sid=hunter2\nHost: h")", R"("Cookie: REDACTED_cookie\nHost: h")"},
      {"[(b'Set-Cookie', b'sid=hunter2')]", "[(b'Set-Cookie', b'REDACTED_cookie')]"},
      {"{b'Cookie': b'sid=hunter2'}", "{b'Cookie': b'REDACTED_cookie'}"},
      {"get(cookies=hunter2, timeout=5): ConnectTimeout", "get(cookies=REDACTED_cookie, timeout=5): ConnectTimeout"},
      {"X-Auth-Token: Bearer hunter2hunter2hunter2", "X-Auth-Token: REDACTED_secret REDACTED_authorization"},
      {"token=REDACTED_secret-hunter2 x", "token=REDACTED_secret x"},
      {"sent Bearer hunter2hunter2hunter2 to h", "sent Bearer REDACTED_authorization to h"},
      {"jwt eyJhbGciOi.eyJzdWIiOjE.c2lnbmF0 end", "jwt REDACTED_authorization end"},
      {"Set-Cookie: sid=hunter2; Path=/\nnext", "Set-Cookie: REDACTED_cookie\nnext"},
      {R"({"name": "Cookie", "value": "a=hunter2"})", R"({"name": "Cookie", "value": "REDACTED_cookie"})"},
      // names
      {R"({"api_key":"hunter2","n":1})", R"({"api_key":"REDACTED_secret","n":1})"},
      {R"({"accessToken" : "hun\"ter2", "n":1})", R"({"accessToken" : "REDACTED_secret", "n":1})"},
      {R"({"m":"{\"password\":\"hunter2\"}"})", R"({"m":"{\"password\":\"REDACTED_secret\"}"})"},
      {R"("{\\\"secret\\\":\\\"hunter2\\\"}")", R"("{\\\"secret\\\":\\\"REDACTED_secret\\\"}")"},
      {R"({"token":12345,"n":1})", R"({"token":"REDACTED_secret","n":1})"},
      {R"({"tokens": ["hunter2", {"a": "hunter2"}], "n": 1})", R"({"tokens": "REDACTED_secret", "n": 1})"},
      {"password=hunter2 user=bob", "password=REDACTED_secret user=bob"},
      {"OK-ACCESS-PASSPHRASE: hunter2", "OK-ACCESS-PASSPHRASE: REDACTED_secret"},
      {"X-MBX-APIKEY: hunter2", "X-MBX-APIKEY: REDACTED_secret"},
      {"-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\nx", "REDACTED_private_key\nx"},
      {"-----BEGIN PRIVATE KEY-----\nhunter2", "REDACTED_private_key"},
      {"password=hun\xff\xfeter2 x", "password=REDACTED_secret x"},  // not UTF-8
  }));
  INFO(spelling.before);
  const Redactor redactor;
  CHECK(redactor.text(spelling.before) == spelling.after);
  CHECK(redactor.text(spelling.after) == spelling.after);
}

TEST_CASE("what is no secret stays as it is") {
  const std::string text = GENERATE(values<std::string>(
      {"", "Is it up? https://api.example:8443/v5/order says no.",
       R"({"token": null, "password": "", "secrets": [], "ok": true})", "TimeoutError: timed out after 5 s",
       "the broken tokenizer, 10:30 a/b", R"({"api_calls": 3, "error_events": []})",
       "REDACTED_secret password=REDACTED_secret", "\xff\xfe\x80", "user@example.org wrote"}));
  CHECK(Redactor{}.text(text) == text);
}

TEST_CASE("JSON is gone through by its names") {
  const auto before = json::parse(R"({
    "url": "https://bob:hunter2@h/p?x=1", "headers": {"Cookie": "hunter2", "Accept": "*/*"},
    "pairs": [["Authorization", "hunter2"], ["Accept", "x"]], "har": {"name": "X-Api-Key", "value": "hunter2"},
    "credentials": {"user": "hunter2"}, "token": 7, "password": null, "secret": "", "count": 7, "deep": [[{"passwd": "hunter2"}]]})");
  const auto after = json::parse(R"({
    "url": "https://REDACTED_url_userinfo@h/p?REDACTED_url_query", "headers": {"Cookie": "REDACTED_cookie", "Accept": "*/*"},
    "pairs": [["Authorization", "REDACTED_authorization"], ["Accept", "x"]], "har": {"name": "X-Api-Key", "value": "REDACTED_secret"},
    "credentials": "REDACTED_secret", "token": "REDACTED_secret", "password": null, "secret": "", "count": 7,
    "deep": [[{"passwd": "REDACTED_secret"}]]})");
  CHECK(Redactor{}.value(before) == after);
  CHECK(Redactor{}.value(after) == after);
}

TEST_CASE("the drill's patterns come first") {
  const auto redactor = with({"acct-[0-9]+", "^7{8}$"});
  CHECK(redactor.text("order of acct-12 and acct-345") == "order of REDACTED_pattern_01 and REDACTED_pattern_01");
  CHECK(redactor.value({{"text", "acct-12"}, {"n", 77777777}}) == json{{"text", "REDACTED_pattern_01"}, {"n", 77777777}});
  CHECK(redactor.rules().size() == Redactor{}.rules().size() + 2);
  CHECK(redactor.rules().back().name == "pattern_02");
  CHECK(redactor.rules().back().meaning == "^7{8}$");
}

TEST_CASE("patterns that cannot be used are refused") {
  CHECK_FALSE(Redactor::check_pattern("("));
  CHECK_FALSE(Redactor::check_pattern("a*"));           // everywhere
  CHECK_FALSE(Redactor::check_pattern(R"((a)\1)"));     // RE2 has no way back: it takes linear time
  CHECK_FALSE(Redactor::check_pattern("(a{1000}){1000}")); // too large
  CHECK(Redactor::check_pattern("(a+)+$"));
}

TEST_CASE("what would take a backtracking engine for ever takes linear time") {
  const std::string text(200'000, 'a');
  CHECK(with({"(a+)+b"}).text(text) == text);
}

TEST_CASE("marks are counted by their rule") {
  const auto counts = count_redactions(
      "REDACTED_secret REDACTED_secret?REDACTED_url_query REDACTED_pattern_02 REDACTED_nothing REDACTED_pattern_x1");
  CHECK(counts == RedactionCounts{{"pattern_02", 1}, {"secret", 2}, {"url_query", 1}});
}

TEST_CASE("lists that never close take no longer than their length") {
  std::string text;
  while (text.size() < (std::size_t{4} << 20)) text += "token=[\n";
  const auto start = std::chrono::steady_clock::now();
  const auto redacted = Redactor{}.text(text);
  // Each list to the end of the text: 10^12 steps.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{20});
  CHECK_FALSE(redacted.contains("=["));
}

}  // namespace base_redact_test

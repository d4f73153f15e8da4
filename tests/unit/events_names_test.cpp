// SPDX-License-Identifier: MIT
// Names in DNS messages, client hellos and HTTP requests, and which of them are recorded.
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/events/name_parsers.hpp"
#include "../support/client_hello.hpp"
#include "../support/scratch_directory.hpp"
#include "brownout/events.hpp"

namespace events_names_test {

using namespace brownout;
using namespace brownout::events;
using namespace brownout::test;

namespace {

Bytes bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string a_record(std::uint8_t last) {
  return dns_record(kTypeA, std::string{'\x0a', '\0', '\0', static_cast<char>(last)});
}

brownout_payload payload(std::uint32_t kind, const std::string& text, std::uint64_t t = 100, std::uint64_t cookie = 7) {
  brownout_payload made{};
  made.t_mono_ns = t;
  made.cookie = cookie;
  made.kind = kind;
  made.length = static_cast<__u32>(text.size());
  made.copied = static_cast<__u32>(std::min<std::size_t>(text.size(), BROWNOUT_PAYLOAD_BYTES));
  std::memcpy(made.bytes, text.data(), made.copied);
  made.flow.peer_address[10] = made.flow.peer_address[11] = 0xff;
  made.flow.peer_address[12] = 10;
  made.flow.peer_address[15] = 9;
  made.flow.peer_port = 443;
  return made;
}

brownout_event dns_event(std::uint64_t start, std::uint64_t cookie) {
  brownout_event event{};
  event.kind = BROWNOUT_EVENT_DNS_UNANSWERED;
  event.call_start_ns = start;
  event.cookie = cookie;
  return event;
}

}  // namespace

TEST_CASE("names: a DNS answer gives the addresses for what was asked, through aliases") {
  const auto query = dns_query(1, "Api.Example");
  const auto answer = dns_answer(
      query, kNoError,
      {dns_record(kTypeCname, dns_name("edge.example.net")), dns_record(kTypeA, "\x0a\x01\x02\x03", dns_name("edge.example.net")),
       dns_record(kTypeAaaa, std::string_view{"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05", 16})});
  const auto found = parse_dns(bytes(answer));
  REQUIRE(found);
  CHECK(found->answer);
  CHECK(found->question == "api.example");
  REQUIRE(found->addresses.size() == 2);
  CHECK(found->addresses[0].address[12] == 10);
  CHECK(found->addresses[0].address[11] == 0xff);
  CHECK(found->addresses[0].ttl_s == 60);
  CHECK(found->addresses[1].address[0] == 0x20);
  const auto asked = parse_dns(bytes(query));
  REQUIRE(asked);
  CHECK_FALSE(asked->answer);
  CHECK(asked->question == "api.example");
}

TEST_CASE("names: DNS messages that lie about lengths, loop or end early are refused") {
  const auto answer = dns_answer(dns_query(1, "api.example"), kNoError, {a_record(1)});
  for (std::size_t length = 0; length < answer.size(); ++length) CHECK_FALSE(parse_dns(bytes(answer.substr(0, length))));
  auto looping = answer;
  looping[12] = '\xc0';
  looping[13] = '\x0c';
  CHECK_FALSE(parse_dns(bytes(looping)));
  auto many = answer;
  many[7] = '\x7f'; // answers that are not there
  CHECK_FALSE(parse_dns(bytes(many)));
  auto two_questions = dns_query(1, "api.example");
  two_questions[5] = 2;
  CHECK_FALSE(parse_dns(bytes(two_questions)));
  CHECK_FALSE(parse_dns(bytes(std::string(70'000, '\0'))));
}

TEST_CASE("names: a client hello names the server, wherever the extension stands") {
  const auto filler = tls_extension(51, std::string(1200, 'k'));
  const auto name = server_name_extension("API.example");
  for (const auto& extensions : {name, filler + name, name + filler}) {
    const auto hello = parse_client_hello(bytes(client_hello(extensions)));
    CHECK(hello.outcome == HelloOutcome::kName);
    CHECK(hello.name == "api.example");
  }
  CHECK(parse_client_hello(bytes(client_hello(filler))).outcome == HelloOutcome::kNoName);
  CHECK(parse_client_hello(bytes(client_hello(""))).outcome == HelloOutcome::kNoName);
  CHECK(parse_client_hello(bytes(client_hello(server_name_extension("10.0.0.1")))).outcome == HelloOutcome::kNoName);
  CHECK(parse_client_hello(bytes("GET / HTTP/1.1\r\n\r\n")).outcome == HelloOutcome::kNotHello);
  CHECK(parse_client_hello(bytes("\x17\x03\x03")).outcome == HelloOutcome::kNotHello);
  CHECK(parse_client_hello({}).outcome == HelloOutcome::kNotHello);
}

TEST_CASE("names: of a client hello that is cut the name is had if all of it is there, and never half of it") {
  const auto name = server_name_extension("api.example");
  const auto filler = tls_extension(51, std::string(300, 'k'));
  const auto hello = client_hello(filler + name + filler);
  const auto name_ends = hello.size() - filler.size();
  for (std::size_t length = 6; length < hello.size(); ++length) {
    const auto found = parse_client_hello(bytes(hello.substr(0, length)));
    INFO(length);
    CHECK(found.outcome == (length < name_ends ? HelloOutcome::kCut : HelloOutcome::kName));
    CHECK(found.name == (length < name_ends ? "" : "api.example"));
  }
}

TEST_CASE("names: the Host of a request, without its port, from what is there of the header") {
  CHECK(parse_http_host("GET / HTTP/1.1\r\nHost: API.example:8080\r\n\r\n") == "api.example");
  CHECK(parse_http_host("POST /x HTTP/1.1\r\nAccept: */*\r\nhost:api.example\r\nContent-Length: 3\r\n\r\nabc") ==
        "api.example");
  CHECK(parse_http_host("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n") == "api.example");
  CHECK(parse_http_host("GET / HTTP/1.1\r\nHost: api.example\r\nCookie: cut in the midd") == "api.example");
  CHECK_FALSE(parse_http_host("GET / HTTP/1.1\r\nHost: api.exam")); // half a name is none
  CHECK_FALSE(parse_http_host("GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\n\r\n"));
  CHECK_FALSE(parse_http_host("GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"));
  CHECK_FALSE(parse_http_host("GET / HTTP/1.1\r\nAccept: */*\r\n\r\nHost: body.example\r\n"));
  CHECK_FALSE(parse_http_host("GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\n\r\n")); // of a proxy
  CHECK(parse_http_host("GET /?of=http://other.example HTTP/1.1\r\nHost: api.example\r\n\r\n") == "api.example");
  CHECK_FALSE(parse_http_host("*1\r\n$4\r\nPING\r\n"));
  CHECK_FALSE(parse_http_host("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  CHECK_FALSE(parse_http_host(""));
}

TEST_CASE("names: they are lower case, printable and of a bounded length") {
  CHECK(plain_name("API.Example.") == "api.example");
  CHECK(plain_name("a b\xff") == "a\\032b\\255");
  CHECK(plain_name(std::string(2000, 'a')).empty());
  CHECK(plain_name(".").empty());
  CHECK(plain_name("10.0.0.1").empty());
}

TEST_CASE("names: openings and answers become records, an answer that repeats itself once") {
  NameReader reader;
  const auto sni = reader.read(payload(BROWNOUT_PAYLOAD_OPENING, client_hello(server_name_extension("api.example"))));
  REQUIRE(sni.size() == 1);
  CHECK(sni[0].source == NameSource::kSni);
  CHECK(sni[0].name == "api.example");
  CHECK(sni[0].address == "10.0.0.9");
  CHECK(sni[0].port == 443);
  CHECK(sni[0].cookie == 7);
  const auto host = reader.read(payload(BROWNOUT_PAYLOAD_OPENING, "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"));
  REQUIRE(host.size() == 1);
  CHECK(host[0].source == NameSource::kHttpHost);
  const auto answer = dns_answer(dns_query(1, "db.example"), kNoError, {a_record(1), a_record(2)});
  const auto given = reader.read(payload(BROWNOUT_PAYLOAD_DNS, answer));
  REQUIRE(given.size() == 2);
  CHECK(given[1].name == "db.example");
  CHECK(given[1].address == "10.0.0.2");
  CHECK(given[1].port == 0);
  CHECK(given[1].ttl_s == 60);
  CHECK(reader.read(payload(BROWNOUT_PAYLOAD_DNS, answer)).empty());
  CHECK(reader.read(payload(BROWNOUT_PAYLOAD_OPENING, "PING\r\n")).empty());
  CHECK(reader.read(payload(BROWNOUT_PAYLOAD_DNS, "nonsense")).empty());
  auto cut = payload(BROWNOUT_PAYLOAD_OPENING, client_hello(tls_extension(51, std::string(3000, 'k')) + server_name_extension("late.example")));
  CHECK(cut.length > cut.copied);
  CHECK(reader.read(cut).empty());
  const auto& counts = reader.counts();
  CHECK(counts.recorded == 4);
  CHECK(counts.repeated == 2);
  CHECK(counts.nameless == 1);
  CHECK(counts.malformed == 1);
  CHECK(counts.cut == 1);
}

TEST_CASE("names: the question of a failed query is recorded, whichever comes first; of others it is not") {
  NameReader reader;
  CHECK(reader.read(payload(BROWNOUT_PAYLOAD_DNS, dns_query(1, "one.example"), 100)).empty());
  CHECK(reader.read(payload(BROWNOUT_PAYLOAD_DNS, dns_query(2, "fine.example"), 110)).empty());
  const auto first = reader.read(dns_event(100, 7));
  REQUIRE(first.size() == 1);
  CHECK(first[0].source == NameSource::kDnsQuestion);
  CHECK(first[0].name == "one.example");
  CHECK(first[0].t_mono_ns == 100);
  CHECK(reader.read(dns_event(100, 7)).empty());
  CHECK(reader.read(dns_event(200, 8)).empty());
  const auto second = reader.read(payload(BROWNOUT_PAYLOAD_DNS, dns_query(3, "two.example"), 200, 8));
  REQUIRE(second.size() == 1);
  CHECK(second[0].name == "two.example");
  brownout_event other{};
  other.kind = BROWNOUT_EVENT_CONNECT_TIMEOUT;
  other.call_start_ns = 110;
  other.cookie = 7;
  CHECK(reader.read(other).empty());
}

TEST_CASE("names: no more than the bound are recorded, the rest is counted") {
  NameReader reader;
  std::uint64_t recorded = 0;
  for (std::uint64_t i = 0; i < NameReader::kMostNames + 5; ++i)
    recorded += reader.read(payload(BROWNOUT_PAYLOAD_OPENING, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", i, i)).size();
  CHECK(recorded == NameReader::kMostNames);
  CHECK(reader.counts().beyond == 5);
}

TEST_CASE("names: records come back from the file exactly, and a changed line is refused") {
  test::ScratchDirectory directory;
  NameRecord sni{.t_mono_ns = 5, .source = NameSource::kSni, .name = "api.example", .address = "2001:db8::1", .port = 443, .cookie = 3};
  NameRecord dns{.t_mono_ns = 6, .source = NameSource::kDns, .name = "api.example", .address = "10.0.0.1", .ttl_s = 30};
  {
    const auto recorder = Recorder::open(directory.path());
    REQUIRE(recorder);
    REQUIRE((*recorder)->record(sni));
    REQUIRE((*recorder)->record(dns));
    auto counted = timeline::names({.recorded = 2, .cut = 1});
    REQUIRE((*recorder)->record(counted));
  }
  const auto text = test::slurp(directory / "kernel/names.jsonl");
  CHECK(text ==
        R"({"t_mono_ns":5,"source":"sni","name":"api.example","address":"2001:db8::1","port":443,"cookie":3,"ttl_s":null})"
        "\n"
        R"({"t_mono_ns":6,"source":"dns","name":"api.example","address":"10.0.0.1","port":null,"cookie":0,"ttl_s":30})"
        "\n");
  const auto evidence = load(directory.path());
  REQUIRE(evidence);
  REQUIRE(evidence->names.size() == 2);
  CHECK(evidence->names[0].port == 443);
  CHECK(evidence->names[1].ttl_s == 30);
  CHECK(evidence->names[1].ref.line_start == 2);
  REQUIRE(evidence->name_counts);
  CHECK(evidence->name_counts->cut == 1);
  for (const auto& [from, to] : {std::pair{"10.0.0.1", "10.0.0.x"}, std::pair{"\"sni\"", "\"guess\""},
                                 std::pair{"\"port\":null", "\"port\":0"}}) {
    auto changed = text;
    changed.replace(changed.find(from), std::strlen(from), to);
    test::spill(directory / "kernel/names.jsonl", changed);
    INFO(to);
    CHECK_FALSE(load(directory.path()));
  }
}

TEST_CASE("names: a DNS event carries the answer's code by name") {
  test::ScratchDirectory directory;
  {
    const auto recorder = Recorder::open(directory.path());
    REQUIRE(recorder);
    for (const std::uint32_t rcode : {2U, 5U, 15U}) {
      brownout_event event{};
      event.kind = BROWNOUT_EVENT_DNS_FAILED;
      event.rcode = static_cast<__u16>(rcode);
      REQUIRE((*recorder)->record(event));
    }
  }
  const auto text = test::slurp(directory / "kernel/events.jsonl");
  CHECK(text.find(R"("rcode":"servfail")") != std::string::npos);
  CHECK(text.find(R"("rcode":"refused")") != std::string::npos);
  std::vector<std::uint32_t> rcodes;
  const auto read = for_each_kernel_event(directory.path(), [&](const brownout_event& event, const Where&) -> Result<> {
    rcodes.push_back(event.rcode);
    return {};
  });
  REQUIRE(read);
  CHECK(rcodes == std::vector<std::uint32_t>{2, 5, 15});
}

}  // namespace events_names_test

// SPDX-License-Identifier: MIT
// Kind by client: what the tracer calls what happens to the requests of real programs.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "brownout/events.hpp"
#include "suites.hpp"
#include "timeout_judgement.hpp"

namespace brownout::bench {
namespace {

using nlohmann::json;

class ScratchDirectory {
 public:
  ScratchDirectory() : path_("/tmp/brownout-timeouts-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string kind_name(std::uint32_t kind) {
  return kind == 0 ? std::string{"none"} : std::string{events::event_kind_name(kind)};
}

// What is wrong at each attempt that is not right, once each.
void count_wrong(const Judgement& judgement, json& cell) {
  cell["wrong_kind"] = cell["wrong_kind"].get<int>() + (judgement.wrong_kind ? 1 : 0);
  cell["wrong_owner"] = cell["wrong_owner"].get<int>() + (judgement.owner ? 0 : 1);
  cell["wrong_destination"] = cell["wrong_destination"].get<int>() + (judgement.destination ? 0 : 1);
  if (const auto wrong = judgement.wrong(); !wrong.empty()) cell["wrong"].push_back(wrong);
}

json cell_of(const Situation& situation, const TimeoutClient& client, const std::vector<Attempt>& all, bool waits) {
  const Expected expected = bench::expected(situation, client, waits);
  json cell = {{"situation", situation.name}, {"client", client.name},  {"waits", waits},
               {"kind", kind_name(expected.kind)}, {"certain", expected.certain},
               {"error", situation.error == 0 ? "" : strerrorname_np(situation.error)}, {"tries", 0}, {"right", 0},
               {"wrong_kind", 0}, {"wrong_owner", 0}, {"wrong_destination", 0}, {"wrong", json::array()},
               {"recorded", json::object()}, {"client_said", json::object()}};
  for (const Attempt& attempt : all) {
    if (attempt.situation != &situation || attempt.client != &client) continue;
    const Judgement judgement = judge(attempt, waits);
    cell["tries"] = cell["tries"].get<int>() + 1;
    cell["right"] = cell["right"].get<int>() + (judgement.right() ? 1 : 0);
    count_wrong(judgement, cell);
    for (const auto& failure : failures(attempt)) {
      auto& count = cell["recorded"][kind_name(failure.kind)];
      count = count.is_null() ? 1 : count.get<int>() + 1;
    }
    auto& said = cell["client_said"][attempt.said];
    said = said.is_null() ? 1 : said.get<int>() + 1;
  }
  return cell;
}

void print(const json& cell) {
  fmt::print(stderr, "waits {:<3} {:<42} {:<15} {:>2}/{:<2} {} {} {}\n", cell["waits"].get<bool>() ? "on" : "off",
             cell["situation"].get<std::string>(), cell["client"].get<std::string>(), cell["right"].get<int>(),
             cell["tries"].get<int>(), cell["recorded"].dump(), cell["client_said"].dump(),
             cell["wrong"].empty() ? "" : cell["wrong"].dump());
}

json clients_json(const std::vector<TimeoutClient>& clients) {
  json all = json::array();
  for (const TimeoutClient& client : clients) {
    all.push_back({{"name", client.name}, {"version", client.version}, {"missing", client.missing}});
    if (!client.missing.empty()) fmt::print(stderr, "SKIP: client_missing {}: {}\n", client.name, client.missing);
  }
  return all;
}

void keep(std::vector<TimeoutClient>& clients, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::erase_if(clients, [&](const auto& client) { return std::ranges::find(names, client.name) == names.end(); });
}

}  // namespace

json timeouts(const TimeoutOptions& options) {
  const ScratchDirectory scratch;
  auto clients = timeout_clients();
  clients.push_back(java_client(scratch.path()));
  keep(clients, options.clients);
  const TimeoutRoom room;
  json report = {{"tries", options.tries}, {"clients", clients_json(clients)}, {"sysctls", room.sysctls()},
                 {"cells", json::array()}};
  for (const bool waits : {false, true}) {
    if (std::ranges::find(options.waits, waits ? "on" : "off") == options.waits.end()) continue;
    auto all = attempts(clients, options.tries);
    run(room, all, {.waits = waits, .at_once = options.at_once});
    for (const Situation& situation : situations())
      for (const TimeoutClient& client : clients) {
        if (!client.missing.empty() || !applies(situation, client)) continue;
        report["cells"].push_back(cell_of(situation, client, all, waits));
        print(report["cells"].back());
      }
  }
  return report;
}

}  // namespace brownout::bench

// Several workers, each with a connection that it keeps; what happens to their calls is recorded as examples/demo/client.py
// does, and call by call in a file of its own.
#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace vm_app {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kWriteInterval{250};

std::atomic<bool> ended = false;

std::string utc_text() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const auto us = duration_cast<microseconds>(now.time_since_epoch()).count() % 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(system_clock::to_time_t(now)), us);
}

// A reader sees the old or the new document, never half of one.
void write_json(const fs::path& path, const json& document) {
  const fs::path temporary = path.string() + ".tmp";
  std::ofstream{temporary} << document.dump(2) << '\n';
  fs::rename(temporary, path);
}

class Record {
 public:
  Record(std::string run_id, const fs::path& calls) : run_id_(std::move(run_id)), calls_(calls) {}

  void started() {
    const std::scoped_lock lock{mutex_};
    ++api_calls_;
  }
  void answered(std::int64_t start_ns, std::int64_t to_server_ns, std::int64_t to_client_ns) {
    const std::scoped_lock lock{mutex_};
    ++answered_;
    calls_ << json{{"start_ns", start_ns}, {"to_server_ns", to_server_ns}, {"to_client_ns", to_client_ns}}.dump() << std::endl;
  }
  void failed(const std::system_error& error) {
    const bool timeout = error.code().value() == ETIMEDOUT;
    const std::scoped_lock lock{mutex_};
    errors_.push_back({{"ts_utc", utc_text()},
                       {"type", timeout ? "timeout" : "connection_error"},
                       {"where", "fetch_ticker"},
                       {"message", error.what()},
                       {"exception_type", "system_error"}});
  }
  json document() {
    const std::scoped_lock lock{mutex_};
    return {{"run_id", run_id_},          {"updated_utc", utc_text()},      {"api_calls", api_calls_},
            {"orders_sent", 0},           {"error_count", errors_.size()}, {"error_events", errors_},
            {"latency_stats_ms", {{"count", answered_}}}};
  }

 private:
  std::mutex mutex_;
  std::string run_id_;
  std::ofstream calls_;
  std::int64_t api_calls_ = 0, answered_ = 0;
  json errors_ = json::array();
};

void call(Connection& connection, const ClientOptions& options, Record& record) {
  const std::int64_t start_ns = now_ns();
  connection.send_line("ticker");
  const auto answer = connection.read_line(options.timeout_ms);
  const std::int64_t end_ns = now_ns();
  if (!answer) fail(ECONNRESET, "read");
  const auto space = answer->find(' ');
  record.answered(start_ns, std::stoll(answer->substr(0, space)) - start_ns, end_ns - std::stoll(answer->substr(space)));
}

void work(const ClientOptions& options, Record& record) {
  std::optional<Connection> connection;
  while (!ended) {
    record.started();
    try {
      if (!connection) connection = Connection::open(options.server, options.timeout_ms);
      call(*connection, options, record);
    } catch (const std::system_error& error) {
      connection.reset(); // an answer may still come: this connection is out of step
      record.failed(error);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{options.pacing_ms});
  }
}

}  // namespace

void run_client(const ClientOptions& options) {
  for (const int number : {SIGTERM, SIGINT}) std::signal(number, [](int) { ended = true; });
  const std::string run_id = fmt::format("run_{:%Y%m%d_%H%M%S}_unknown", fmt::gmtime(std::time(nullptr)));
  const fs::path directory = options.runs_dir / run_id;
  fs::create_directories(directory);
  json manifest{{"run_id", run_id},      {"mode", "okx_demo_api"},   {"start_ts_utc", utc_text()},
                {"end_ts_utc", nullptr}, {"status", "running"},      {"stop_detected", false},
                {"stop_time", nullptr},  {"stop_reason", nullptr}};
  write_json(directory / "run_manifest.json", manifest);

  Record record{run_id, options.calls};
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < options.workers; ++i) workers.emplace_back(work, std::cref(options), std::ref(record));
    while (!ended) {
      write_json(directory / "execution_fingerprint.json", record.document());
      std::this_thread::sleep_for(kWriteInterval);
    }
  }
  write_json(directory / "execution_fingerprint.json", record.document());
  manifest.update({{"status", "interrupted"}, {"end_ts_utc", utc_text()}});
  write_json(directory / "run_manifest.json", manifest);
}

std::int64_t await_fast(const Endpoint& server, int fast_ms, int patience_ms) {
  const std::int64_t begun = now_ns();
  const auto ms_since = [](std::int64_t then) { return (now_ns() - then) / 1'000'000; };
  while (ms_since(begun) < patience_ms) {
    const std::int64_t start = now_ns();
    try {
      auto connection = Connection::open(server, fast_ms);
      connection.send_line("ticker");
      if (connection.read_line(fast_ms) && ms_since(start) <= fast_ms) return ms_since(begun);
    } catch (const std::system_error& error) {
      if (error.code().value() != ETIMEDOUT) throw;
    }
  }
  throw std::runtime_error(fmt::format("no new connection had its answer within {} ms", fast_ms));
}

}  // namespace vm_app

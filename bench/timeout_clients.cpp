// SPDX-License-Identifier: MIT
#include "timeout_clients.hpp"

#include <array>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace brownout::bench {
namespace {

namespace fs = std::filesystem;

struct Ended {
  int status = -1;
  std::string first_line;
};

// For looking round, before anything is measured.
Ended run(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen((command + " 2>&1").c_str(), "re"), [](FILE*) { return 0; }};
  if (!pipe) return {};
  std::string text;
  std::array<char, 512> part{};
  while (fgets(part.data(), part.size(), pipe.get()) != nullptr) text += part.data();
  const int status = pclose(pipe.get());
  return {status, text.substr(0, text.find('\n'))};
}

std::string source(const std::string& name) { return std::string{BROWNOUT_TIMEOUT_CLIENT_SOURCES} + "/" + name; }

TimeoutClient c_client(const std::string& mode) {
  return {.name = "C " + mode,
          .command = {BROWNOUT_TIMEOUT_CLIENT, mode},
          .receive_timeout = mode == "blocking",
          .socket_options = true};
}

TimeoutClient python_client(const std::string& name, const std::string& file, const std::string& module) {
  TimeoutClient client{.name = name, .command = {"/usr/bin/python3", source(file)}};
  const auto look = run(fmt::format("/usr/bin/python3 -c 'import sys, {0}; print(\"Python\", sys.version.split()[0], "
                                    "\"{0}\", getattr({0}, \"__version__\", \"\"))'", module));
  (look.status == 0 ? client.version : client.missing) = look.first_line;
  client.socket_options = module == "socket";
  return client;
}

TimeoutClient curl_client() {
  TimeoutClient client{.name = "curl", .command = {"/usr/bin/curl"}, .curl = true};
  const auto look = run("/usr/bin/curl --version");
  (look.status == 0 ? client.version : client.missing) = look.first_line.substr(0, look.first_line.find(' ', 5));
  return client;
}

TimeoutClient node_client() {
  TimeoutClient client{.name = "Node.js http", .command = {"/usr/bin/node", source("http_request.js")}};
  const auto look = run("/usr/bin/node --version");
  (look.status == 0 ? client.version : client.missing) = look.first_line;
  return client;
}

std::string seconds(int milliseconds) { return fmt::format("{:.3f}", milliseconds / 1e3); }

}  // namespace

std::string TimeoutClient::comm() const { return fs::path{command.front()}.filename().string().substr(0, 15); }

std::vector<std::string> TimeoutClient::arguments(const std::string& address, std::uint16_t port, int connect_ms,
                                                  int read_ms, const std::string& option) const {
  std::vector<std::string> all = command;
  if (curl) {
    all.insert(all.end(), {"--silent", "--noproxy", "*", "--output", "/dev/null", "--write-out", "exit %{exitcode}"});
    if (connect_ms > 0) all.insert(all.end(), {"--connect-timeout", seconds(connect_ms)});
    if (read_ms > 0) all.insert(all.end(), {"--max-time", seconds(read_ms)});
    all.push_back(fmt::format("http://{}:{}/", address, port));
  } else {
    all.insert(all.end(), {address, std::to_string(port), std::to_string(connect_ms), std::to_string(read_ms)});
    if (!option.empty()) all.push_back(option);
  }
  return all;
}

TimeoutClient java_client(const fs::path& scratch) {
  TimeoutClient client{.name = "Java HttpClient",
                       .command = {"/usr/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                                   scratch.string(), "HttpClientGet"}};
  const auto look = run("/usr/bin/java --version");
  (look.status == 0 ? client.version : client.missing) = look.first_line;
  if (!client.missing.empty()) return client;
  const auto compiled = run(fmt::format("javac -d {} {}", scratch.string(), source("HttpClientGet.java")));
  if (compiled.status != 0) client.missing = "javac: " + compiled.first_line;
  return client;
}

std::vector<TimeoutClient> timeout_clients() {
  return {c_client("blocking"),
          c_client("epoll"),
          python_client("Python socket", "socket_settimeout.py", "socket"),
          python_client("requests", "requests_get.py", "requests"),
          python_client("asyncio", "asyncio_streams.py", "asyncio"),
          curl_client(),
          node_client()};
}

}  // namespace brownout::bench

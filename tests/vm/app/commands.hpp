#pragma once

#include <filesystem>

#include "connection.hpp"

namespace vm_app {

struct ClientOptions {
  Endpoint server;
  std::filesystem::path runs_dir, calls;
  int workers = 4, pacing_ms = 50, timeout_ms = 800;
};

// Each until the process is ended.
void serve(const Endpoint& endpoint, int think_ms);
void run_client(const ClientOptions& options);

// New connections, one after the other, until one had its answer within `fast_ms`; ms from the start to there. Throws
// after `patience_ms`.
std::int64_t await_fast(const Endpoint& server, int fast_ms, int patience_ms);

// Makes one of each failure that the tracer tells apart, one after the other, once the file `when` is there. The
// server must listen on the blackholed port too: a connection to it is open before.
void provoke(const Endpoint& server, const Endpoint& closed, const Endpoint& blackholed,
             const std::filesystem::path& when);

// Attaches programs that do nothing to the cgroup, for as long as it is there.
void hold_hooks(const std::filesystem::path& cgroup);

}  // namespace vm_app

// What stands in for a container's application, and its peer, where no interpreter fits in: a client, a server.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "commands.hpp"

int main(int argc, char** argv) {
  using namespace vm_app;
  CLI::App app{"client and server of the kernel matrix"};
  app.require_subcommand(1);

  Endpoint server;
  int think_ms = 2;
  const auto add_endpoint = [&](CLI::App* command) {
    command->add_option("address", server.address)->required();
    command->add_option("port", server.port)->required();
  };
  auto* serving = app.add_subcommand("serve", "answer each line");
  add_endpoint(serving);
  serving->add_option("--think-ms", think_ms);

  ClientOptions options;
  auto* asking = app.add_subcommand("client", "call the server over a pool of connections until SIGTERM");
  add_endpoint(asking);
  asking->add_option("--runs-dir", options.runs_dir)->required();
  asking->add_option("--calls", options.calls, "one line for each call that was answered")->required();
  asking->add_option("--workers", options.workers);
  asking->add_option("--pacing-ms", options.pacing_ms);
  asking->add_option("--timeout-ms", options.timeout_ms);

  int fast_ms = 100, patience_ms = 5000;
  auto* waiting = app.add_subcommand("await-fast", "new connections until one is fast; prints after how many ms");
  add_endpoint(waiting);
  waiting->add_option("--fast-ms", fast_ms);
  waiting->add_option("--patience-ms", patience_ms);

  std::uint16_t closed = 0, blackholed = 0;
  std::string go;
  auto* provoking = app.add_subcommand("provoke", "fail in every way that the tracer tells apart");
  add_endpoint(provoking);
  provoking->add_option("--closed-port", closed)->required();
  provoking->add_option("--blackholed-port", blackholed)->required();
  provoking->add_option("--when", go, "wait until this file is there; one connection is open before")->required();

  std::string held;
  auto* holding = app.add_subcommand("hold-hooks", "attach programs that do nothing, so that the hooks stay in use");
  holding->add_option("cgroup", held)->required();
  CLI11_PARSE(app, argc, argv);

  try {
    options.server = server;
    if (*serving) serve(server, think_ms);
    if (*asking) run_client(options);
    if (*waiting) std::printf("%lld\n", static_cast<long long>(await_fast(server, fast_ms, patience_ms)));
    if (*holding) hold_hooks(held);
    if (*provoking) provoke(server, {server.address, closed}, {server.address, blackholed}, go);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vm_app: %s\n", error.what());
    return 1;
  }
  return 0;
}

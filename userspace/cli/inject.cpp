// SPDX-License-Identifier: MIT
#include "inject.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "brownout/tell.hpp"
#include "brownout/text.hpp"

namespace brownout::cli {
namespace {

// The flag's value as the value of that key, as it is written: the drill's own reader says what is wrong with it.
CLI::Option* add_value(CLI::App* command, const std::string& flag, drill::AdHoc::Values& values, const std::string& key,
                       const std::string& description) {
  return command->add_option_function<std::string>(
      flag, [&values, key](const std::string& value) { values.emplace_back(key, value); }, description);
}

void add_label(CLI::App* command, drill::AdHoc::Values& labels) {
  const auto read = [&labels](const std::vector<std::string>& written) {
    for (const auto& label : written) {
      const auto equals = label.find('=');
      if (equals == std::string::npos) throw CLI::ValidationError("--label", fmt::format("'{}' has no value: NAME=VALUE", label));
      labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
    }
  };
  command->add_option_function<std::vector<std::string>>("--label", read, "that its container has: app=web; may be repeated")
      ->allow_extra_args(false);
}

void add_target(CLI::App* command, drill::AdHoc& drill) {
  auto* whom = command->add_option_group("target")->require_option(1);
  auto& target = drill.target;
  add_value(whom, "--container", target, "container", "name or id");
  add_label(whom, drill.target_labels);
  add_value(whom, "--pod", target, "pod", "of Kubernetes: NAMESPACE/POD/CONTAINER");
  add_value(whom, "--unit", target, "unit", "of systemd: web.service");
  add_value(whom, "--netns", target, "netns", "path of a network namespace");
  add_value(whom, "--cgroup", target, "cgroup", "path of a cgroup");
  add_value(whom, "--pid", target, "pid", "a process of it");
  add_value(command, "--runtime", target, "runtime",
            "of the container: docker, podman, containerd, runc, crun, lxc, nspawn; default: whichever knows it");
  add_value(command, "--root", target, "root", "state directory of runc, crun or lxc");
  add_value(command, "--namespace", target, "namespace", "of containerd");
}

}  // namespace

void add_ad_hoc(CLI::App* command, InjectOptions& options) {
  auto& drill = options.drill;
  add_target(command, drill);
  auto* latency = add_value(command, "--latency", drill.latency, "delay", "hold every packet for so long: 1500ms");
  add_value(command, "--jitter", drill.latency, "jitter", "give or take so much: 100ms")->needs(latency);
  add_value(command, "--distribution", drill.latency, "distribution", "of the jitter: uniform, normal, pareto, paretonormal")->needs(latency);
  auto* loss = add_value(command, "--loss", drill.loss, "rate", "lose packets: 1%");
  add_value(command, "--burst", drill.loss, "burst", "so many packets in a row, on average, and none in between: 10")->needs(loss);
  auto* blackhole = command->add_flag("--blackhole", drill.blackhole, "lose all of them");
  loss->excludes(blackhole);
  add_value(command, "--direction", drill.match, "direction", "egress, ingress or both; default: both");
  add_value(command, "--protocol", drill.match, "protocol", "tcp, udp or icmp; default: any");
  add_value(command, "--cidr", drill.match, "cidr", "of the peer: 10.0.0.0/8");
  add_value(command, "--port", drill.match, "port", "of the peer: 443, or 8000-8010");
  add_value(command, "--local-port", drill.match, "local_port", "of the container");
  add_value(command, "--connections", drill.match, "connections", "a share of them, each hit or spared as a whole: 30%");
  add_value(command, "--for", drill.phases, "inject", "how long: 60s")->required();
  add_value(command, "--baseline", drill.phases, "baseline", "watched untouched before")->default_str("5s")->force_callback();
  add_value(command, "--recovery", drill.phases, "recovery", "watched afterwards")->default_str("10s")->force_callback();
  add_value(command, "--backend", drill.more, "backend", "by what packets are made late: auto, delay_line, edt");
  add_value(command, "--seed", drill.more, "seed", "the same seed draws the same packets again");
  command->add_option("--name", drill.name, "of the drill, and part of the bundle's name")->capture_default_str();
  auto* print = command->add_flag("--print-drill", options.print, "print the drill's file, and do nothing");
  command->add_flag("--plan", options.plan, "say what it would do, and do nothing")->excludes(print);
}

ExitCode inject(const InjectOptions& injecting, run::Options options) {
  auto text = drill::yaml_of(injecting.drill);
  // Checked first, too, where it is only printed: whoever keeps it shall have a drill.
  options.drill = {.file = "(command line)", .text = std::move(text)};
  if (const auto drill = options.drill.load(); !drill) {
    tell(fmt::format("the drill that these flags make:\n{}", visible_lines(*options.drill.text)));
    return report(drill.error());
  }
  if (injecting.print) {
    fmt::print("{}", *options.drill.text);
    return ExitCode::kPass;
  }
  if (injecting.plan) return cli::plan({.drill = options.drill, .packet = {}}, options.json);
  return cli::run(options);
}

}  // namespace brownout::cli

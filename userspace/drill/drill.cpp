// SPDX-License-Identifier: MIT
#include "brownout/drill.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "brownout/abi/brownout.h"
#include "brownout/fd.hpp"
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

const Keys kTopLevel{"brownout", "name",  "target", "app",    "pressure", "phases",
                         "faults",   "gates", "seed",   "on_end", "telemetry", "labels", "backend", "trace",
                         "caps",     "abort_when", "allow", "redact", "protected", "capture"};

constexpr Choice<Backend> kBackends[] = {
    {"auto", Backend::kAuto}, {"delay_line", Backend::kDelayLine}, {"edt", Backend::kEdt}};

Result<> check_version(const Mapping& top) {
  BROWNOUT_ASSIGN(const Cursor version, top.need("brownout", "`brownout: 1` as the first line"));
  if (version.tree->kind != Tree::Kind::kScalar || version.tree->quoted || version.tree->scalar != "1")
    return version.refuse_value("a version of the drill format that this program reads", "write brownout: 1");
  return {};
}

Result<> read_who(const Mapping& top, Drill& drill) {
  BROWNOUT_ASSIGN(const Cursor name, top.need("name", "name: C2_2_LATENCY"));
  BROWNOUT_ASSIGN(drill.name, read_name(name));
  BROWNOUT_ASSIGN(const Cursor target, top.need("target", "target: {container: NAME}, {cgroup: PATH} or {pid: N}"));
  BROWNOUT_ASSIGN(drill.target, read_target(target));
  drill.target_line = target.line();
  if (const auto app = top.find("app")) {
    BROWNOUT_ASSIGN(drill.app, read_app(*app));
  }
  return {};
}

Result<> read_timing(const Mapping& top, Drill& drill) {
  const auto pressure = top.find("pressure");
  drill.pressure_required = pressure.has_value();
  if (pressure) {
    BROWNOUT_ASSIGN(drill.pressure, read_pressure(*pressure));
  }
  if (const auto phases = top.find("phases")) {
    BROWNOUT_ASSIGN(drill.phases, read_phases(*phases));
  }
  return {};
}

Result<> read_faults(const Mapping& top, const ReadTable& read_table, Drill& drill) {
  TableShelf tables{read_table};
  if (const auto allow = top.find("allow")) {
    BROWNOUT_ASSIGN(drill.allow, read_allow(*allow));
  }
  BROWNOUT_ASSIGN(const Cursor faults, top.need("faults", "faults: with at least one of latency, loss, blackhole"));
  BROWNOUT_ASSIGN(const auto items, sequence(faults, 1, BROWNOUT_MAX_FAULTS));
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(Fault fault, read_fault(item, tables, drill.allow));
    drill.faults.push_back(std::move(fault));
  }
  drill.tables = tables.take();
  return {};
}

std::unexpected<Error> refuse_without_app(const Cursor& cursor) {
  return cursor.refuse("it looks at what the application recorded, and the drill has no `app`",
                       "add `app: {run_dir: ...}`, or remove this key");
}

Result<> read_guards(const Mapping& top, Drill& drill) {
  if (const auto caps = top.find("caps")) {
    BROWNOUT_ASSIGN(drill.caps, read_caps(*caps));
  }
  const auto conditions = top.find("abort_when");
  if (!conditions) return {};
  BROWNOUT_ASSIGN(const auto items, sequence(*conditions, 1, kMaxAbortConditions));
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(AbortCondition condition, read_abort_condition(item));
    if (std::holds_alternative<ErrorCountLimit>(condition.what) && !drill.app) return refuse_without_app(item);
    drill.abort_when.push_back(std::move(condition));
  }
  return {};
}

Result<> read_gates(const Mapping& top, Drill& drill) {
  const auto gates = top.find("gates");
  if (!gates) return {};
  BROWNOUT_ASSIGN(const auto items, sequence(*gates, 1, kMaxGates));
  if (!drill.app) return refuse_without_app(*gates);
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(Gate gate, read_gate(item));
    drill.gates.push_back(std::move(gate));
  }
  return {};
}

Result<> read_telemetry(const Mapping& top, Drill& drill) {
  const auto telemetry = top.find("telemetry");
  if (!telemetry) return {};
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(*telemetry, {"pass", "fail"}));
  if (!drill.app) return refuse_without_app(*telemetry);
  if (const auto pass = mapping.find("pass")) {
    BROWNOUT_ASSIGN(drill.telemetry_pass, read_number(*pass, 0, 1));
  }
  if (const auto fails = mapping.find("fail")) {
    BROWNOUT_ASSIGN(drill.telemetry_fail, read_number(*fails, 0, 1));
  }
  if (drill.telemetry_fail >= drill.telemetry_pass)
    return telemetry->refuse(
        fmt::format("fail ({:g}) is not below pass ({:g})", drill.telemetry_fail, drill.telemetry_pass),
        "fail must be below pass; between them the check is inconclusive");
  return {};
}

Result<> read_on_end(const Mapping& top, Drill& drill) {
  const auto on_end = top.find("on_end");
  if (!on_end) return {};
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(*on_end, {"create_stop_file"}));
  const auto create = mapping.find("create_stop_file");
  if (!create) return {};
  BROWNOUT_ASSIGN(drill.create_stop_file_at_end, read_bool(*create));
  if (drill.create_stop_file_at_end && (!drill.app || drill.app->stop_file.empty()))
    return create->refuse_value("possible: there is no stop file to create", "add `stop_file: /path/to/STOP` to `app`");
  return {};
}

Result<> read_protected(const Mapping& top, Drill& drill) {
  const auto paths = top.find("protected");
  if (!paths) return {};
  BROWNOUT_ASSIGN(const auto items, sequence(*paths, 1, kMaxProtected));
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(const std::filesystem::path path, read_absolute_path(item));
    if (std::ranges::find(drill.protected_paths, path) != drill.protected_paths.end())
      return item.refuse_value("named once", "remove the second mention");
    drill.protected_paths.push_back(path);
  }
  return {};
}

Result<> read_capture(const Mapping& top, Drill& drill) {
  const auto capture = top.find("capture");
  if (!capture) return {};
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(*capture, {"packets"}));
  BROWNOUT_ASSIGN(const Cursor packets, mapping.need("packets", "packets: 1000"));
  BROWNOUT_ASSIGN(const std::int64_t most, read_integer(packets, 1, kMaxCapture));
  drill.capture = {.packets = static_cast<std::uint64_t>(most)};
  return {};
}

Result<> read_rest(const Mapping& top, Drill& drill) {
  BROWNOUT_TRY(read_guards(top, drill));
  BROWNOUT_TRY(read_gates(top, drill));
  BROWNOUT_TRY(read_telemetry(top, drill));
  BROWNOUT_TRY(read_on_end(top, drill));
  BROWNOUT_TRY(read_protected(top, drill));
  BROWNOUT_TRY(read_capture(top, drill));
  if (const auto trace = top.find("trace")) {
    BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(*trace, {"waits"}));
    if (const auto waits = mapping.find("waits")) {
      BROWNOUT_ASSIGN(drill.trace_waits, read_bool(*waits));
    }
  }
  if (const auto backend = top.find("backend")) {
    BROWNOUT_ASSIGN(drill.backend, read_choice(*backend, kBackends));
  }
  if (const auto seed = top.find("seed")) {
    BROWNOUT_ASSIGN(drill.seed, read_seed(*seed));
  }
  if (const auto redact = top.find("redact")) {
    BROWNOUT_ASSIGN(drill.redact, read_redact(*redact));
  }
  if (const auto labels = top.find("labels")) {
    BROWNOUT_ASSIGN(drill.labels, read_labels(*labels));
  }
  return {};
}

}  // namespace

std::string_view backend_name(Backend backend) {
  for (const auto& [word, value] : kBackends)
    if (value == backend) return word;
  return "unknown";
}

Result<Drill> parse(std::string_view text, std::string_view file, const ReadTable& read_table) {
  BROWNOUT_ASSIGN(const Tree tree, read_tree(text, file));
  BROWNOUT_ASSIGN(const Mapping top, Mapping::open({file, {}, &tree}, kTopLevel));
  Drill drill;
  BROWNOUT_TRY(check_version(top));
  BROWNOUT_TRY(read_who(top, drill));
  BROWNOUT_TRY(read_timing(top, drill));
  BROWNOUT_TRY(read_faults(top, read_table, drill));
  BROWNOUT_TRY(read_rest(top, drill));
  drill.text = text;
  return drill;
}

Result<Drill> load(const std::filesystem::path& path) {
  auto text = read_file(path, kMaxFileBytes);
  if (!text) {
    // Whatever keeps a drill from being read, the person has the same thing to do: hand over another file.
    Error error = std::move(text).error();
    error.code = ErrorCode::kInvalidDrill;
    if (error.hint.empty()) error.hint = fmt::format("a drill is a YAML file of at most {} bytes", kMaxFileBytes);
    return std::unexpected(std::move(error));
  }
  return parse(*text, path.string(), tables_beside(path.parent_path()));
}

}  // namespace brownout::drill

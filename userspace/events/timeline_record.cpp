// SPDX-License-Identifier: MIT
// timeline.jsonl and run_files.json.
#include "brownout/fd.hpp"
#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

OrderedJson encode_files(const std::vector<RunFile>& files) {
  auto list = OrderedJson::array();
  for (const auto& file : files) list.push_back(encode(file));
  return list;
}

void decode_files(const Json& record, const char* key, std::vector<RunFile>& into, Problem& problem) {
  const auto* found = member(record, key, problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report(fmt::format("'{}' must be a list", key));
  for (const auto& file : *found) decode(file, into.emplace_back(), key, problem);
}

TimelineEntry entry(std::string_view kind, Json fields) {
  return {.kind = std::string{kind}, .fields = std::move(fields)};
}

}  // namespace

OrderedJson encode(const TimelineEntry& entry) {
  OrderedJson record;
  record["t_mono_ns"] = entry.t_mono_ns;
  record["kind"] = entry.kind;
  for (const auto& [key, value] : entry.fields.items()) record[key] = value;
  return record;
}

void decode(const Json& record, TimelineEntry& into, Problem& problem) {
  read(record, "t_mono_ns", into.t_mono_ns, problem);
  read(record, "kind", into.kind, problem);
  if (problem) return;
  into.fields = record;
  into.fields.erase("t_mono_ns");
  into.fields.erase("kind");
}

OrderedJson encode(const RunFiles& files) {
  return {{"before", encode_files(files.before)},
          {"after", encode_files(files.after)},
          {"missing_required", files.missing_required}};
}

void decode(const Json& record, RunFiles& into, Problem& problem) {
  decode_files(record, "before", into.before, problem);
  decode_files(record, "after", into.after, problem);
  const auto* missing = member(record, "missing_required", problem);
  if (missing == nullptr) return;
  if (!missing->is_array()) return problem.report("'missing_required' must be a list");
  for (const auto& path : *missing) decode(path, into.missing_required.emplace_back(), "missing_required", problem);
}

Result<> write_run_files(const std::filesystem::path& directory, const RunFiles& files) {
  return write_file(directory / kRunFilesFile,
                    encode(files).dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
}

namespace timeline {

TimelineEntry phase(std::uint32_t phase, std::string_view edge) {
  return entry("phase", {{"phase", phase_name(phase)}, {"edge", edge}});
}

TimelineEntry pressure(std::int64_t completed, std::int64_t wanted, std::int64_t within_ns) {
  return entry("pressure", {{"completed", completed}, {"wanted", wanted}, {"within_ns", within_ns}});
}

TimelineEntry clock(const ClockOffsets& offsets) { return entry("clock", Json(encode(offsets))); }

TimelineEntry stop(std::string_view source, std::string_view detail) {
  return entry("stop", {{"source", source}, {"detail", detail}});
}

TimelineEntry ending(Ending ending, std::string_view detail) {
  return entry("ending", {{"ending", ending_name(ending)}, {"detail", detail}});
}

TimelineEntry action(std::string_view what, std::string_view object, std::string_view result) {
  return entry("action", {{"what", what}, {"object", object}, {"result", result}});
}

TimelineEntry app_manifest(std::string_view when, Json manifest) {
  return entry("app_manifest", {{"when", when}, {"manifest", std::move(manifest)}});
}

TimelineEntry sampling(std::int64_t longest_gap_ns) {
  return entry("sampling", {{"longest_gap_ns", longest_gap_ns}});
}

TimelineEntry names(const NameReader::Counts& counts) {
  return entry("names", Json(encode(counts)));
}

TimelineEntry not_observed(const std::vector<std::string>& items) { return entry("not_observed", {{"items", items}}); }

TimelineEntry cleanup(const std::vector<std::string>& leftovers, std::int64_t duration_ns) {
  return entry("cleanup", {{"leftovers", leftovers}, {"duration_ns", duration_ns}});
}

TimelineEntry run_changed(std::string_view newer) { return entry("run_changed", {{"newer", newer}}); }

TimelineEntry app_exited() { return entry("app_exited", Json::object()); }

TimelineEntry target(Json target) { return entry("target", {{"target", std::move(target)}}); }

TimelineEntry note(std::string_view text) { return entry("note", {{"text", text}}); }

TimelineEntry disk(const DiskFigures& figures) {
  return entry("disk", {{"syncs", figures.syncs}, {"longest_ns", figures.longest_ns}});
}

}  // namespace timeline
}  // namespace brownout::events

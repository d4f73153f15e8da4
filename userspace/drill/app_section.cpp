// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/format.h>

#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr std::size_t kMaxComm = 15; // the kernel keeps no more of a task's name

Result<> read_run_dir(const Cursor& cursor, App& app) {
  if (cursor.tree->kind != Tree::Kind::kMapping) {
    BROWNOUT_ASSIGN(app.run_dir, read_absolute_path(cursor));
    return {};
  }
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"in_container"}));
  BROWNOUT_ASSIGN(const Cursor path, mapping.need("in_container", "run_dir: {in_container: /app/runs/run_*}"));
  BROWNOUT_ASSIGN(app.run_dir, read_absolute_path(path));
  app.run_dir_in_container = true;
  return {};
}

Result<std::vector<std::string>> read_required(const Cursor& cursor) {
  std::vector<std::string> files;
  BROWNOUT_ASSIGN(const auto items, sequence(cursor, 1, kMaxListed));
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(std::string file, read_relative_path(item));
    if (std::ranges::find(files, file) != files.end())
      return item.refuse_value("named once", "remove the second mention");
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::map<std::string, nlohmann::json>> read_require(const Cursor& cursor) {
  std::map<std::string, nlohmann::json> conditions;
  BROWNOUT_ASSIGN(const auto members, free_members(cursor));
  if (members.empty() || members.size() > kMaxListed)
    return cursor.refuse(fmt::format("there are {} conditions", members.size()),
                         fmt::format("from 1 to {}, or leave the key out", kMaxListed));
  for (const auto& [key, value] : members) {
    BROWNOUT_ASSIGN(const std::string pointer, read_json_pointer(key));
    BROWNOUT_ASSIGN(conditions[pointer], read_json(value));
  }
  return conditions;
}

Result<App::Process> read_process(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"comm"}));
  BROWNOUT_ASSIGN(const Cursor comm, mapping.need("comm", "process: {comm: python3}"));
  App::Process process;
  BROWNOUT_ASSIGN(process.comm, read_text(comm, 255));
  if (process.comm.size() > kMaxComm)
    return comm.refuse_value("a comm: the kernel keeps 15 bytes of a name",
                             fmt::format("write '{}'", process.comm.substr(0, kMaxComm)));
  return process;
}

// The whole name of the commit: what is cut short may be another commit's, too.
Result<std::string> read_git_commit(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string commit, read_text(cursor, 255));
  const bool whole = commit.size() == 40 || commit.size() == 64;
  if (!whole || commit.find_first_not_of("0123456789abcdef") != std::string::npos)
    return cursor.refuse_value("a git commit", "40 or 64 lower-case hexadecimal digits: `git rev-parse HEAD`");
  return commit;
}

Result<> read_files(const Mapping& mapping, App& app) {
  if (const auto fingerprint = mapping.find("fingerprint")) {
    BROWNOUT_ASSIGN(app.fingerprint, read_relative_path(*fingerprint));
  }
  if (const auto manifest = mapping.find("manifest")) {
    BROWNOUT_ASSIGN(app.manifest, read_relative_path(*manifest));
  }
  if (const auto required = mapping.find("required")) {
    BROWNOUT_ASSIGN(app.required, read_required(*required));
  }
  if (const auto require = mapping.find("require")) {
    BROWNOUT_ASSIGN(app.require, read_require(*require));
  }
  return {};
}

}  // namespace

Result<App> read_app(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const Mapping mapping, Mapping::open(cursor, {"run_dir", "fingerprint", "manifest", "required",
                                                                "require", "process", "stop_file", "retries",
                                                                "git_commit"}));
  App app;
  BROWNOUT_ASSIGN(const Cursor run_dir, mapping.need("run_dir", "run_dir: /path/to/runs/run_*"));
  BROWNOUT_TRY(read_run_dir(run_dir, app));
  BROWNOUT_TRY(read_files(mapping, app));
  if (const auto process = mapping.find("process")) {
    BROWNOUT_ASSIGN(app.process, read_process(*process));
  }
  if (const auto stop_file = mapping.find("stop_file")) {
    BROWNOUT_ASSIGN(app.stop_file, read_absolute_path(*stop_file));
  }
  if (const auto retries = mapping.find("retries")) {
    BROWNOUT_ASSIGN(app.retries, read_integer(*retries, 0, kMaxRetries));
  }
  if (const auto commit = mapping.find("git_commit")) {
    BROWNOUT_ASSIGN(app.git_commit, read_git_commit(*commit));
  }
  return app;
}

}  // namespace brownout::drill

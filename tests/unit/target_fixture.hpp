// SPDX-License-Identifier: MIT
// A machine made of files: a /proc and a cgroup2 mount in a temporary directory.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "brownout/target.hpp"

namespace brownout::target {

inline constexpr std::uint64_t kHostNetns = 4026531840;
inline constexpr std::uint64_t kInitialCgroupNamespace = 4026531835;
inline constexpr std::int32_t kOwnPid = 100;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "brownout-test-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored; // nothing that a destructor could do about it
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Machine {
 public:
  Machine() {
    add_process(kOwnPid, "brownout", "/operator", kHostNetns);
    std::filesystem::create_symlink(std::to_string(kOwnPid), proc() / "self");
    set_mountinfo(mount_line("/", mount()));
    set_cgroup_namespace(kInitialCgroupNamespace);
  }

  std::filesystem::path proc() const { return folder_.path() / "proc"; }
  std::filesystem::path mount() const { return folder_.path() / "cgroup"; }
  std::filesystem::path folder() const { return folder_.path(); }
  Surroundings surroundings() const {
    return {.proc = proc(),
            .docker_host = "unix://" + (folder() / "no.sock").string(),
            .search_path = folder() / "bin",
            .containerd = folder() / "containerd.sock"};
  }

  static std::string mount_line(const std::string& root, const std::filesystem::path& point) {
    return "41 31 0:38 " + root + " " + point.string() + " rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
  }

  void set_mountinfo(const std::string& lines) { write(own() / "mountinfo", lines); }
  void set_cgroup_namespace(std::uint64_t inode) {
    link("cgroup:[" + std::to_string(inode) + "]", own() / "ns/cgroup");
  }

  // `shown` is what /proc/PID/cgroup says where that differs from the place on the mount.
  void add_process(std::int32_t pid, const std::string& comm, const std::string& cgroup, std::uint64_t netns,
                   const std::string& shown = "") {
    const auto folder = proc() / std::to_string(pid);
    write(folder / "comm", comm + "\n");
    write(folder / "cgroup", "9:name=systemd:/elsewhere\n0::" + (shown.empty() ? cgroup : shown) + "\n");
    link("net:[" + std::to_string(netns) + "]", folder / "ns/net");
    make_cgroup(cgroup);
    std::ofstream{mount() / cgroup.substr(1) / "cgroup.procs", std::ios::app} << pid << "\n";
  }

  // `stat` says whose child it is.
  void set_parent(std::int32_t pid, std::int32_t parent, const std::string& name = "a name) S 1") {
    write(proc() / std::to_string(pid) / "stat",
          std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) + " 1 1 0 -1 4194560 0\n");
  }
  void set_command_line(std::int32_t pid, const std::vector<std::string>& arguments) {
    std::string text;
    for (const auto& argument : arguments) text += argument + '\0';
    write(proc() / std::to_string(pid) / "cmdline", text);
  }
  void open_socket(std::int32_t pid, int descriptor, std::uint64_t inode) {
    link("socket:[" + std::to_string(inode) + "]", proc() / std::to_string(pid) / "fd" / std::to_string(descriptor));
  }

  void make_cgroup(const std::string& cgroup) {
    std::filesystem::path folder = mount();
    std::filesystem::create_directories(folder / cgroup.substr(1));
    std::ofstream{folder / "cgroup.procs", std::ios::app};
    for (const auto& part : std::filesystem::path{cgroup}.relative_path()) {
      folder /= part;
      std::ofstream{folder / "cgroup.procs", std::ios::app};
    }
  }

  void add_program(const std::string& name, const std::string& script) {
    const auto program = folder() / "bin" / name;
    write(program, "#!/bin/sh\n" + script);
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }

  static void write(const std::filesystem::path& path, const std::string& content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << content;
  }

 private:
  std::filesystem::path own() const { return proc() / std::to_string(kOwnPid); }
  static void link(const std::string& to, const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::remove(path);
    std::filesystem::create_symlink(to, path);
  }

  TemporaryDirectory folder_;
};

inline Target resolved(const Machine& machine, const drill::Target& wanted) {
  auto target = resolve(wanted, machine.surroundings());
  if (!target) FAIL(target.error().render());
  return *std::move(target);
}

inline Error refused(const Machine& machine, const drill::Target& wanted) {
  const auto target = resolve(wanted, machine.surroundings());
  REQUIRE_FALSE(target);
  return target.error();
}

}  // namespace brownout::target

// SPDX-License-Identifier: MIT
// Keys of each sort that people have, made anew.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "bundle_fixture.hpp"

namespace brownout::test {

inline void shell_or_throw(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

class SigningKeys {
 public:
  SigningKeys() {
    ::unsetenv("SSH_AUTH_SOCK");
    make("-t ed25519 -N ''", "ed25519");
    make("-t ed25519 -N ''", "other");
    make("-t ed25519 -N secret", "locked");
    make("-t ecdsa -b 256 -m PKCS8 -N ''", "ecdsa");
    shell_or_throw(fmt::format("openssl genpkey -algorithm ed25519 -out '{}/pem'", path().string()));
    spill(allowed(), fmt::format("drill@example.org namespaces=\"brownout-evidence@v1\" {}", slurp(path() / "ed25519.pub")));
  }
  std::filesystem::path path() const { return directory_.path(); }
  std::filesystem::path of(std::string_view name) const { return directory_ / name; }
  std::filesystem::path allowed() const { return directory_ / "allowed_signers"; }

 private:
  void make(const std::string& how, const std::string& name) const {
    shell_or_throw(fmt::format("ssh-keygen -q {} -C test -f '{}/{}'", how, path().string(), name));
  }
  ScratchDirectory directory_;
};

inline const SigningKeys& signing_keys() {
  static const SigningKeys keys;
  return keys;
}

// While it lives, the agent holds this one key.
class SshAgent {
 public:
  explicit SshAgent(const std::filesystem::path& key) {
    const auto socket = (directory_ / "agent").string(), pid = (directory_ / "pid").string();
    shell_or_throw(fmt::format("ssh-agent -s -a '{}' | sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\);.*/\\1/p' > '{}'", socket, pid));
    pid_ = slurp(pid);
    ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
    shell_or_throw(fmt::format("ssh-add -q '{}' 2>/dev/null", key.string()));
  }
  ~SshAgent() {
    ::unsetenv("SSH_AUTH_SOCK");
    static_cast<void>(std::system(("kill " + pid_).c_str()));
  }
  SshAgent(const SshAgent&) = delete;
  SshAgent& operator=(const SshAgent&) = delete;

 private:
  ScratchDirectory directory_;
  std::string pid_;
};

}  // namespace brownout::test

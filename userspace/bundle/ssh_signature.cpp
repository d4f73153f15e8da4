// SPDX-License-Identifier: MIT
#include "ssh_signature.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "brownout/text.hpp"

namespace brownout::bundle {
namespace {

// A security key waits for a touch.
constexpr std::chrono::seconds kPatience{60};

std::string advice(std::string_view said) {
  if (said.contains("passphrase"))
    return "No passphrase is asked for, as nobody may be there at the end of the drill: ssh-add it, and name it or its "
           ".pub. Through sudo: sudo --preserve-env=SSH_AUTH_SOCK";
  if (said.contains("too open")) return "Others may read it: chmod 600 it, and think of who may have done so.";
  if (said.contains("No private key"))
    return std::getenv("SSH_AUTH_SOCK") != nullptr
               ? "The agent does not hold it: ssh-add it."
               : "It is a public key, and there is no agent (SSH_AUTH_SOCK). Through sudo: sudo "
                 "--preserve-env=SSH_AUTH_SOCK";
  if (said.contains("public key"))
    return "A key in PEM needs its public half beside it: ssh-keygen -y -f KEY > KEY.pub. OpenSSH before 9.6 reads no "
           "Ed25519 key in PEM: ssh-keygen -t ed25519 makes one that it reads.";
  return "It must be a private key of OpenSSH, or a public one whose private half is in the agent.";
}

}  // namespace

Result<SshKeygen> SshKeygen::find() {
  auto env = find_program("env");
  auto program = find_program("ssh-keygen");
  if (!env || !program)
    return fail(ErrorCode::kNotFound, "this host has no ssh-keygen",
                "It makes and checks signatures: install openssh-client.");
  return SshKeygen{std::move(*env), std::move(*program)};
}

Result<Finished> SshKeygen::call(const std::vector<std::string>& arguments, const std::filesystem::path& input,
                                 Agent agent) const {
  std::vector<std::string> words;
  if (agent == Agent::kNotAsked) words = {"-u", "SSH_AUTH_SOCK"};
  // Nothing is asked on the terminal. Messages are looked at, so they are in English.
  words.insert(words.end(), {"SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force", "LC_ALL=C", program_.string()});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(env_, words, kPatience, input);
}

Result<std::string> SshKeygen::sign(const std::filesystem::path& key, const std::filesystem::path& message,
                                    Agent agent) const {
  BROWNOUT_ASSIGN(auto finished,
                  call({"-P", "", "-Y", "sign", "-f", key.string(), "-n", kSignatureNamespace}, message, agent));
  if (finished.exit_code == 0 && !finished.out.empty()) return std::move(finished.out);
  return fail(ErrorCode::kRefused, fmt::format("cannot sign with {}: {}", key.string(), last_line(finished.err)),
              advice(finished.err));
}

Result<SshKey> SshKeygen::check(const std::filesystem::path& message, const std::filesystem::path& signature) const {
  BROWNOUT_ASSIGN(
      const auto finished,
      call({"-Y", "check-novalidate", "-n", kSignatureNamespace, "-s", signature.string()}, message, Agent::kNotAsked));
  // Good "NAMESPACE" signature with TYPE key FINGERPRINT
  const std::string_view said = finished.out;
  static constexpr std::string_view kWith = " signature with ", kKey = " key ";
  const auto with = said.find(kWith), key = said.find(kKey, with);
  if (finished.exit_code != 0 || with == said.npos || key == said.npos)
    return fail(ErrorCode::kRefused, "the signature does not hold: " + last_line(finished.err + finished.out));
  const auto type = with + kWith.size(), fingerprint = key + kKey.size();
  return SshKey{visible(said.substr(type, key - type)),
                visible(said.substr(fingerprint, said.find('\n', fingerprint) - fingerprint))};
}

Result<std::string> SshKeygen::principal(const std::filesystem::path& message, const std::filesystem::path& signature,
                                         const std::filesystem::path& allowed) const {
  BROWNOUT_ASSIGN(const auto found, call({"-Y", "find-principals", "-s", signature.string(), "-f", allowed.string()},
                                         "/dev/null", Agent::kNotAsked));
  if (found.exit_code != 0)
    return fail(ErrorCode::kRefused,
                fmt::format("{} names nobody with its key: {}", allowed.string(), last_line(found.err)));
  const auto name = found.out.substr(0, found.out.find_first_of(",\n"));
  BROWNOUT_ASSIGN(const auto held, call({"-Y", "verify", "-f", allowed.string(), "-I", name, "-n", kSignatureNamespace,
                                         "-s", signature.string()},
                                        message, Agent::kNotAsked));
  if (held.exit_code == 0) return visible(name);
  return fail(ErrorCode::kRefused, fmt::format("{} may not sign this by {}: {}", visible(name), allowed.string(),
                                               last_line(held.err + held.out)));
}

}  // namespace brownout::bundle

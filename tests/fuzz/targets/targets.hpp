// SPDX-License-Identifier: MIT
// What is fuzzed: each takes any bytes, does what a command does with them, and throws when something that its callers
// rely on does not hold. True: the bytes were understood. bench/fuzz runs them in libFuzzer, tests/fuzz replays corpora.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brownout::fuzz {

bool drill(std::string_view text);        // a drill file, and its plan
bool fingerprint(std::string_view text);  // the app's execution_fingerprint.json
bool manifest(std::string_view text);     // the app's run_manifest.json, in a run directory
bool records(std::string_view text);      // a line of evidence; its first byte says of which file
bool names(std::string_view text);        // payload: DNS, a TLS client hello, HTTP
bool bundle(std::string_view text);       // a tar archive, which is gzipped first

struct Named {
  const char* name;
  bool (*target)(std::string_view);
};
inline constexpr std::array<Named, 6> kTargets{{{"drill", drill},
                                                {"fingerprint", fingerprint},
                                                {"manifest", manifest},
                                                {"records", records},
                                                {"names", names},
                                                {"bundle", bundle}}};

inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

}  // namespace brownout::fuzz

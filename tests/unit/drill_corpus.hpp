// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "brownout/fd.hpp"

// Files of tests/golden/drills/KIND, sorted by name.
inline std::vector<std::filesystem::path> drill_corpus(const std::string& kind) {
  std::vector<std::filesystem::path> files;
  const auto folder = std::filesystem::path{BROWNOUT_SOURCE_DIR} / "tests/golden/drills" / kind;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

inline std::string content_of(const std::filesystem::path& path) {
  return brownout::read_file(path).value_or("unreadable: " + path.string());
}

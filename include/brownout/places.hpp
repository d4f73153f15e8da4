// SPDX-License-Identifier: MIT
// Places of the host that a drill has to leave alone, as they were before and after: host_files.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/events.hpp"

namespace brownout::events {

enum class Reach : std::uint8_t { kEntries, kEverything }; // of a directory: what is directly in it, or all beneath it

struct PlaceFile : RunFile { std::string kind; }; // "file", "directory", "symbolic link", ...; only files have a digest
struct PlaceListing {
  std::vector<PlaceFile> files; // by path, relative to the place; "." is the place itself
  std::string problem;          // why it could not be listed, or not all of it; empty: all is here
};
// Read-only, through no link beneath the place. What is larger than kLargestDigestedThere, or beyond kMostDigestedThere in
// all, is listed without a digest; beyond kMostThere files nothing more is.
inline constexpr std::uint64_t kLargestDigestedThere = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kMostDigestedThere = std::uint64_t{256} << 20;
inline constexpr std::size_t kMostThere = 20'000;
PlaceListing list_place(const std::filesystem::path& path, Reach reach);
// Of a directory that is held: the one above it.
PlaceListing list_above(int directory_fd);

struct Place {
  std::string path, role; // role: "run_dir_parent" or "protected"
  PlaceListing before, after;
};
nlohmann::json to_json(const PlaceListing& listing);

}  // namespace brownout::events

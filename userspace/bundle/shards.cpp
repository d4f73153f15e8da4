// SPDX-License-Identifier: MIT
#include "shards.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>

#include <fmt/format.h>

#include "brownout/capabilities.hpp"
#include "brownout/digest.hpp"
#include "brownout/events.hpp"
#include "brownout/fd.hpp"
#include "layout.hpp"
#include "run_directory_copy.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestIndex = std::size_t{16} << 20;
constexpr std::size_t kMostMismatches = 1000; // of one index; how many there are is counted
constexpr std::size_t kMostKept = 10'000;     // of all of them
constexpr std::size_t kLongestName = 1024, kLongestDigest = 64;
constexpr std::size_t kMostTold = 100;        // in the manifest
constexpr std::string_view kPartSuffix = "_raw_part_";

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::optional<std::uint64_t> number_at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

// The copies in run_dir/. Of those from which something was taken out, `files` has the digest of what was read.
struct Copies {
  Members files;
  std::set<std::string> redacted;
  std::map<std::string, std::string> left_out;  // and why
};

// One index and the copies that it speaks of.
class IndexCheck {
 public:
  // `room`: how many mismatches may still be kept, of all indexes.
  IndexCheck(std::string path, const Copies& copies, std::size_t& room)
      : path_(std::move(path)), copies_(copies), files_(copies.files), left_out_(copies.left_out), room_(room) {}

  json run(const std::filesystem::path& run_directory, const json& manifest) {
    hold_against_manifest(manifest);
    const auto text = read_file(run_directory / path_, kLargestIndex);
    const Unprivileged parsing;  // the app wrote it
    const auto index = text ? events::parse_json(*text, path_) : Result<json>{std::unexpected(text.error())};
    if (!text) {
      mismatch(path_, text.error().code == ErrorCode::kFormat
                          ? fmt::format("the index is longer than {} bytes", kLargestIndex)
                          : "the index cannot be read");
    } else if (!index) {
      mismatch(path_, "the index cannot be read: " + index.error().what);
    } else if (!index->is_object() || !index->contains("shards") || !index->at("shards").is_array()) {
      mismatch(path_, "the index has no list 'shards'");
    } else {
      hold_shards(*index);
    }
    return {{"index", path_},   {"index_sha256", files_.at(path_).sha256}, {"shards", shards_},
            {"verified", verified_}, {"mismatches", std::move(mismatches_)},    {"mismatches_count", count_}};
  }

 private:
  void mismatch(const std::string& shard, std::string problem) {
    if (++count_ > kMostMismatches || room_ == 0) return;
    --room_;
    mismatches_.push_back({{"shard", shard}, {"problem", std::move(problem)}});
  }

  // The app's manifest names its indexes: m_execution_raw_index_hash for m_execution_raw_index.json.
  void hold_against_manifest(const json& manifest) {
    const auto name = path_.substr(folder_of(path_).size());
    const auto key = name.substr(0, name.size() - std::string_view{".json"}.size()) + "_hash";
    const auto said = manifest.is_object() ? text_at(manifest, key.c_str()) : std::string{};
    if (!said.empty() && !files_.at(path_).sha256.starts_with(said))
      mismatch(path_, fmt::format("sha256 is {}, the run's manifest says {}", files_.at(path_).sha256,
                                  said.size() > kLongestDigest ? "something longer" : said));
  }

  void hold_shards(const json& index) {
    std::uint64_t records = 0;
    for (const auto& shard : index.at("shards")) {
      ++shards_;
      const auto name = shard.is_object() ? text_at(shard, "filename") : std::string{};
      if (name.empty() || name.size() > kLongestName) {
        mismatch(fmt::format("shard {}", shards_), "it has no 'filename'");
        continue;
      }
      records += number_at(shard, "records_count").value_or(0);
      hold_shard(folder_of(path_) + name, shard);
    }
    hold_total(index, "total_shards", shards_);
    hold_total(index, "total_records", records);
    find_orphans();
  }

  void hold_total(const json& index, const char* key, std::uint64_t found) {
    const auto said = number_at(index, key);
    if (said && *said != found) mismatch(path_, fmt::format("{} is {}, its shards make {}", key, *said, found));
  }

  void hold_shard(const std::string& shard, const json& said) {
    if (!named_.insert(shard).second) return mismatch(shard, "it is named twice");
    const auto file = files_.find(shard);
    if (const auto why = left_out_.find(shard); file == files_.end())
      return mismatch(shard, why == left_out_.end() ? "it is not there" : "it was not copied: " + why->second);
    const auto digest = text_at(said, "sha256"), start = text_at(said, "sha256_16");
    const auto size = number_at(said, "size");
    if ((digest.empty() && start.empty()) || std::max(digest.size(), start.size()) > kLongestDigest)
      return mismatch(shard, "the index has no digest of it");
    if (size && *size != file->second.size && !copies_.redacted.contains(shard))
      return mismatch(shard, fmt::format("size is {}, the index says {}", file->second.size, *size));
    if (!digest.empty() && digest != file->second.sha256)
      return mismatch(shard, fmt::format("sha256 is {}, the index says {}", file->second.sha256, digest));
    if (!start.empty() && start != file->second.sha256.substr(0, 16))
      return mismatch(shard, fmt::format("sha256_16 is {}, the index says {}", file->second.sha256.substr(0, 16), start));
    ++verified_;
  }

  // m_execution_raw_part_0009.json that m_execution_raw_index.json does not name.
  void find_orphans() {
    const auto parts = path_.substr(0, path_.size() - kIndexSuffix.size()) + std::string{kPartSuffix};
    for (auto file = files_.lower_bound(parts); file != files_.end() && file->first.starts_with(parts); ++file)
      if (!named_.contains(file->first)) mismatch(file->first, "the index does not name it");
  }

  std::string path_;
  const Copies& copies_;
  const Members& files_;
  const std::map<std::string, std::string>& left_out_;
  std::size_t& room_;
  std::set<std::string> named_;
  std::uint64_t shards_ = 0, verified_ = 0, count_ = 0;
  json mismatches_ = json::array();
};

// The app's manifest as it was copied. Without one nothing is held against it.
json copied_manifest(const std::filesystem::path& file) {
  const auto text = read_file(file, kLargestIndex);
  const Unprivileged parsing;
  const auto manifest = text ? events::parse_json(*text, file.string()) : Result<json>{json()};
  return manifest.value_or(json());
}

std::map<std::string, std::string> reasons_left_out(const json& copy) {
  std::map<std::string, std::string> reasons;
  const auto list = copy.value("left_out", json::array());
  for (const auto& file : list)
    if (file.is_object()) reasons.emplace(text_at(file, "path"), text_at(file, "why"));
  return reasons;
}

Result<Copies> copies_of(const json& copy) {
  Copies copies;
  BROWNOUT_ASSIGN(copies.files, copied_files(copy));
  copies.left_out = reasons_left_out(copy);
  for (const auto& file : copy.at("files")) {
    const auto original = text_at(file, "original_sha256"), path = text_at(file, "path");
    if (original.empty()) continue;
    copies.redacted.insert(path);
    copies.files.at(path).sha256 = original;
  }
  return copies;
}

}  // namespace

Result<json> check_shards(const plan::Plan& plan, const std::filesystem::path& directory) {
  json indexes = json::array();
  const auto text = read_file(directory / kRunDirectoryCopy, kLargestDocument);
  if (!text && text.error().code == ErrorCode::kNotFound) return json{{"indexes", std::move(indexes)}};
  if (!text) return std::unexpected(text.error());
  BROWNOUT_ASSIGN(const auto copy, events::parse_json(*text, kRunDirectoryCopy));
  BROWNOUT_ASSIGN(const auto copies, copies_of(copy));
  const auto manifest = plan.drill.app ? copied_manifest(directory / kRunDirectory / plan.drill.app->manifest) : json();
  std::size_t room = kMostKept;
  for (const auto& [path, member] : copies.files)
    if (path.ends_with(kIndexSuffix) && is_safe(path))
      indexes.push_back(IndexCheck{path, copies, room}.run(directory / kRunDirectory, manifest));
  return json{{"indexes", std::move(indexes)}};
}

json summarise_shards(const json& shards) {
  std::uint64_t named = 0, verified = 0, count = 0;
  json mismatches = json::array();
  for (const auto& index : shards.at("indexes")) {
    named += index.at("shards").get<std::uint64_t>();
    verified += index.at("verified").get<std::uint64_t>();
    count += index.at("mismatches_count").get<std::uint64_t>();
    for (const auto& mismatch : index.at("mismatches"))
      if (mismatches.size() < kMostTold) mismatches.push_back(mismatch);
  }
  return {{"indexes", shards.at("indexes").size()}, {"shards", named},   {"verified", verified},
          {"mismatches", std::move(mismatches)},    {"mismatches_count", count}};
}

}  // namespace brownout::bundle

// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "beneath.hpp"
#include "brownout/capabilities.hpp"
#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "error_tracker.hpp"
#include "file_bytes.hpp"
#include "json_input.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kLongestFile = std::size_t{256} << 20;
constexpr int kReadAttempts = 3;
// File systems stamp with the tick of a clock: a second change within it leaves the same stamp.
constexpr std::int64_t kStampDoubt = 20'000'000;

struct FileState {
  std::uint64_t inode = 0, size = 0;
  std::int64_t mtime_ns = 0;
  bool operator==(const FileState&) const = default;
};

struct Version {
  SnapshotStatus status = SnapshotStatus::kAbsent;
  FileState state;
  std::string content, problem;
  std::int64_t read_ns = 0;
};

std::int64_t to_ns(const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }

Result<FileState> state_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail_errno(ErrorCode::kIo, "stat");
  return FileState{status.st_ino, static_cast<std::uint64_t>(status.st_size), to_ns(status.st_mtim)};
}

class Sampler final : public FingerprintSampler {
 public:
  Sampler(const RunDirectory& directory, std::string file) : directory_(directory), file_(std::move(file)) {}

  std::optional<Snapshot> look(std::uint32_t phase) override;
  std::int64_t longest_gap_ns() const override { return longest_gap_ns_; }
  Snapshot last() override;

 private:
  void count_gap(std::int64_t now_ns);
  bool unchanged() const;
  Version read_version() const;
  Result<bool> read_once(Version& version) const;
  Snapshot describe(Version version, bool with_body);
  static Version without_content(const Error& error);

  const RunDirectory& directory_;
  std::string file_;
  ErrorTracker errors_;
  std::int64_t look_ns_ = 0, previous_look_ns_ = 0, longest_gap_ns_ = 0;
  bool met_any_ = false;   // a version was read before: else the next is the first
  bool looked_ = false;
  bool doubtful_ = false;  // the stamp was too fresh: look into the file again
  SnapshotStatus status_ = SnapshotStatus::kAbsent;
  FileState state_;
  std::string sha256_, problem_;
  std::array<bool, BROWNOUT_PHASES> body_of_phase_{};
};

void Sampler::count_gap(std::int64_t now_ns) {
  if (look_ns_ != 0) longest_gap_ns_ = std::max(longest_gap_ns_, now_ns - look_ns_);
  previous_look_ns_ = std::exchange(look_ns_, now_ns);
}

// By stat alone; true also for a file that is still absent.
bool Sampler::unchanged() const {
  if (!looked_ || doubtful_) return false;
  const auto file = open_within(directory_.fd(), file_, O_PATH);
  if (!file) return file.error().code == ErrorCode::kNotFound && status_ == SnapshotStatus::kAbsent;
  const auto state = state_of(file->get());
  return state && status_ != SnapshotStatus::kAbsent && *state == state_;
}

Version Sampler::without_content(const Error& error) {
  Version version;
  if (error.code == ErrorCode::kNotFound) return version;
  version.status = SnapshotStatus::kUnparsable;
  version.problem = printable(error.render());
  return version;
}

// False when the file changed under the reader: what was read may be of two versions.
Result<bool> Sampler::read_once(Version& version) const {
  BROWNOUT_ASSIGN(const auto file, open_beneath(directory_.fd(), file_));
  BROWNOUT_ASSIGN(const auto before, state_of(file.get()));
  version.state = before;
  if (before.size > kLongestFile) return fail(ErrorCode::kFormat, fmt::format("longer than {} bytes", kLongestFile));
  auto content = read_all(file.get(), kLongestFile);
  BROWNOUT_ASSIGN(version.state, state_of(file.get()));
  if (!content) return std::unexpected(std::move(content).error());
  version.status = SnapshotStatus::kRead;
  version.content = std::move(*content);
  return before == version.state && version.content.size() == version.state.size;
}

Version Sampler::read_version() const {
  Version version;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const auto whole = read_once(version);
    if (!whole) {
      auto failed = without_content(whole.error());
      failed.state = version.state;
      version = std::move(failed);
      break;
    }
    if (*whole) break;
  }
  version.read_ns = monotonic_ns();
  return version;
}

Snapshot Sampler::describe(Version version, bool with_body) {
  Snapshot snapshot{.t_mono_ns = version.read_ns,
                    .previous_look_ns = previous_look_ns_,
                    .status = version.status,
                    .inode = version.state.inode,
                    .size = version.content.empty() ? version.state.size : version.content.size(),
                    .mtime_ns = version.state.mtime_ns,
                    .sha256 = sha256_,
                    .problem = version.problem};
  if (version.status != SnapshotStatus::kRead) return snapshot;
  const Unprivileged parsing;
  if (auto taken = errors_.take(version.content, snapshot); !taken) {
    snapshot.status = SnapshotStatus::kUnparsable;
    snapshot.problem = taken.error().what;
  } else if (with_body) {
    snapshot.body = std::move(version.content);
  }
  return snapshot;
}

std::optional<Snapshot> Sampler::look(std::uint32_t phase) {
  count_gap(monotonic_ns());
  if (unchanged()) return std::nullopt;
  auto version = read_version();
  const std::string digest = version.status == SnapshotStatus::kRead ? sha256(version.content) : "";
  const bool has_content = version.status == SnapshotStatus::kRead;
  doubtful_ = has_content && realtime_ns() - version.state.mtime_ns < kStampDoubt;
  const bool same_complaint = status_ == version.status && problem_ == version.problem;
  const bool same = looked_ && (has_content ? digest == sha256_ : same_complaint);
  looked_ = true;
  state_ = version.state;
  if (same) return std::nullopt;
  sha256_ = digest;
  problem_ = version.problem;
  bool& phase_has_body = body_of_phase_.at(std::min<std::size_t>(phase, body_of_phase_.size() - 1));
  auto snapshot = describe(std::move(version), !met_any_ || !phase_has_body);
  status_ = snapshot.status;
  if (snapshot.body) met_any_ = phase_has_body = true;
  return snapshot;
}

Snapshot Sampler::last() {
  count_gap(monotonic_ns());
  auto version = read_version();
  looked_ = true;
  doubtful_ = false;
  state_ = version.state;
  sha256_ = version.status == SnapshotStatus::kRead ? sha256(version.content) : "";
  problem_ = version.problem;
  auto snapshot = describe(std::move(version), true);
  status_ = snapshot.status;
  return snapshot;
}

}  // namespace

std::unique_ptr<FingerprintSampler> FingerprintSampler::create(const RunDirectory& directory, std::string file_name) {
  return std::make_unique<Sampler>(directory, std::move(file_name));
}

}  // namespace brownout::events

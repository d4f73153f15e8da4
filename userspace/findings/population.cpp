// SPDX-License-Identifier: MIT
#include "population.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "samples.hpp"

namespace brownout::findings {
namespace {

Result<UniqueFd> nameless_file() {
  std::error_code error;
  const auto parent = std::filesystem::temp_directory_path(error);
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "find the directory for temporary files");
  std::string path = (parent / "brownout-times-XXXXXX").string();
  UniqueFd file{::mkostemp(path.data(), O_CLOEXEC)};
  if (!file) return fail_errno(ErrorCode::kIo, "create " + path);
  ::unlink(path.c_str());
  return file;
}

// Sorts as the numbers do.
std::uint64_t key_of(double value) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

double value_of(std::uint64_t key) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  return std::bit_cast<double>((key & kSign) != 0 ? key & ~kSign : ~key);
}

}  // namespace

Result<> Population::add(double value) {
  largest_ = size() == 0 ? value : std::max(largest_, value);
  if (held_.size() == kHeld) BROWNOUT_TRY(write_out());
  held_.push_back(value);
  return {};
}

Result<> Population::write_out() {
  if (!file_) {
    BROWNOUT_ASSIGN(file_, nameless_file());
  }
  BROWNOUT_TRY(write_all(file_.get(), {reinterpret_cast<const char*>(held_.data()), held_.size() * sizeof(double)}));
  written_ += held_.size();
  held_.clear();
  return {};
}

Result<> Population::for_each(const std::function<void(std::span<const double>)>& take) const {
  std::vector<double> buffer(written_ == 0 ? 0 : kHeld);
  // Written in whole buffers, and so read.
  for (std::uint64_t done = 0; done < written_; done += kHeld) {
    auto* const bytes = reinterpret_cast<char*>(buffer.data());
    const std::size_t all = kHeld * sizeof(double);
    for (std::size_t have = 0; have < all;) {
      const auto got = ::pread(file_.get(), bytes + have, all - have, static_cast<off_t>(done * sizeof(double) + have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return fail_errno(ErrorCode::kIo, got == 0 ? EIO : errno, "read the calls' times back");
      have += static_cast<std::size_t>(got);
    }
    take(buffer);
  }
  take(held_);
  return {};
}

// Sixteen bits of the answer a pass: how many have the bits found so far, and which ones next?
Result<double> Population::smallest(std::uint64_t rank) const {
  constexpr unsigned kBits = 16;
  std::uint64_t found = 0;
  for (unsigned shift = 64 - kBits;; shift -= kBits) {
    std::vector<std::uint64_t> counts(std::size_t{1} << kBits);
    BROWNOUT_TRY(for_each([&](std::span<const double> values) {
      for (const double value : values) {
        const auto key = key_of(value);
        const bool candidate = shift + kBits == 64 || (key ^ found) >> (shift + kBits) == 0;
        if (candidate) ++counts[(key >> shift) % counts.size()];
      }
    }));
    std::uint64_t next = 0;
    while (rank >= counts[next]) rank -= counts[next++];
    found |= next << shift;
    if (shift == 0) return value_of(found);
  }
}

Result<std::optional<double>> Population::median() const {
  if (written_ == 0) return findings::median(held_);
  BROWNOUT_ASSIGN(const auto value, smallest((size() - 1) / 2));
  return std::optional{value};
}

Result<std::uint64_t> Population::count_below(double bound) const {
  std::uint64_t count = 0;
  BROWNOUT_TRY(for_each([&](std::span<const double> values) {
    count += static_cast<std::uint64_t>(std::ranges::count_if(values, [bound](double value) { return value < bound; }));
  }));
  return count;
}

}  // namespace brownout::findings

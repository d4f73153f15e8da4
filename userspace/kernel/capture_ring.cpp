// SPDX-License-Identifier: MIT
#include "capture_ring.hpp"

#include <algorithm>
#include <bit>

#include <unistd.h>

namespace brownout::kernel {
namespace {

constexpr std::size_t kBatch = 4096; // some milliseconds of the loop that beats
constexpr std::uint64_t kRecordInRing = sizeof(brownout_capture_record) + 8;
constexpr std::uint64_t kLargestRing = std::uint64_t{4} << 20; // 23,000 packets between two looks

}  // namespace

int size_captures(inject_bpf& skeleton, const plan::Plan& plan) {
  const auto& capture = plan.drill.capture;
  skeleton.rodata->capture_most = capture ? capture->packets : 0;
  if (!capture) {
    for (bpf_map* map : {skeleton.maps.captures, skeleton.maps.capture_counters, skeleton.maps.capture_drafts})
      if (const int result = bpf_map__set_autocreate(map, false); result != 0) return result;
    return 0;
  }
  // A power of two, in pages; one byte of it is never used.
  const auto room = std::max(std::bit_ceil(capture->packets * kRecordInRing + 1), static_cast<std::uint64_t>(::getpagesize()));
  return bpf_map__set_max_entries(skeleton.maps.captures, static_cast<std::uint32_t>(std::min(room, kLargestRing)));
}

Result<CaptureRing> CaptureRing::open(int map_fd) {
  BROWNOUT_ASSIGN(auto reader, RingReader<brownout_capture_record>::open(map_fd, "captured packets", kBatch));
  return CaptureRing{std::move(reader)};
}

Result<> CaptureRing::consume(const Sink& sink) {
  reader_->begin(sink);
  return reader_->consume();
}

Result<std::vector<brownout_capture_record>> CaptureRing::take_rest() {
  std::vector<brownout_capture_record> rest;
  const Sink keep = [&rest](const brownout_capture_record& record) { rest.push_back(record); };
  do BROWNOUT_TRY(consume(keep));
  while (reader_->handed_out() >= kBatch);
  return rest;
}

}  // namespace brownout::kernel

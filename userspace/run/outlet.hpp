// SPDX-License-Identifier: MIT
// Writes to a terminal or a pipe that nobody may be reading: from a thread of its own, so that the drill's loop, which beats for
// the faults, never waits for a reader. What a slow reader leaves no room for is counted, and said once there is room.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "brownout/fd.hpp"
#include "live_view.hpp"

namespace brownout::run {

class Outlet {
 public:
  static constexpr std::size_t kMostBytes = 256 << 10; // that wait
  static constexpr std::int64_t kPatience = 2'000'000'000; // with a reader that takes nothing, at the end

  enum class Weight : std::uint8_t { kLight, kHeavy }; // the light ones may not fill more than half the room

  // `colour`: of the view.
  Outlet(int fd, bool colour);
  // Gives what still waits to a reader that takes it; the view goes.
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  void line(std::string text, Weight weight);
  // The view from now on. One that was not painted yet is forgotten.
  void show(LiveState state);

 private:
  void write_on();
  bool write_all(std::string_view bytes);
  bool wait_for_room(std::int64_t& patience_ends);
  Screen screen() const;

  int fd_;
  bool colour_;
  UniqueFd own_; // the same file, opened anew so that it need not block; none where that cannot be
  LivePainter painter_;
  std::optional<LiveState> shown_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t left_out_ = 0; // lines
  std::optional<LiveState> next_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace brownout::run

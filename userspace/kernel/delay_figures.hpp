// SPDX-License-Identifier: MIT
// From the histograms of bpf/lib/delays.h to figures.
#pragma once

#include "brownout/kernel.hpp"

namespace brownout::kernel {

// Out of one direction's two histograms.
DelayFigures delay_figures_of(const brownout_delay_histogram& decided, const brownout_delay_histogram& order);
// Out of the map, all CPUs together.
std::array<DelayFigures, BROWNOUT_DIRECTIONS> read_delay_figures(int map_fd);

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
// A file of records, line by line, without holding all of it.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "brownout/error.hpp"

namespace brownout::events {

// `line` comes with its line feed; numbers start at 1. kFormat when the last line has none: it was cut off.
using LineSink = std::function<Result<>(std::string_view line, int number)>;
Result<> for_each_line(const std::filesystem::path& path, const LineSink& sink);

}  // namespace brownout::events

// SPDX-License-Identifier: MIT
// Files that are part of the program: cmake/Embed.cmake.
#pragma once

#include <string_view>

namespace brownout::bundle::embedded {

extern const std::string_view kPage, kStyle, kElements, kPlots, kSections, kScript;
extern const std::string_view kDygraphsScript, kDygraphsStyle, kDygraphsLicense;

}  // namespace brownout::bundle::embedded

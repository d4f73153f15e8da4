// SPDX-License-Identifier: MIT
// One HTTP GET through a socket of this machine.
#pragma once

#include <string>

namespace brownout::target {

struct HttpReply {
  unsigned status = 0;
  std::string body;
  std::string problem; // no reply at all
};

HttpReply http_get(const std::string& socket, const std::string& path);

}  // namespace brownout::target

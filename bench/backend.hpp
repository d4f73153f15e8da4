// SPDX-License-Identifier: MIT
// What delays packets in a bench. The list is the place to add one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "room.hpp"

namespace brownout::bench {

// Delays both directions of the container's veth for as long as it lives.
class Injection {
 public:
  virtual ~Injection() = default;
  // What it says about itself: how, and everything that it lost.
  virtual nlohmann::json figures() = 0;
};

struct Backend {
  std::string name;
  // Empty: works here; otherwise why not.
  std::function<std::string(const BenchRoom&)> missing;
  // A delay of 0 is the smallest that the backend knows. Null: nothing is injected.
  std::function<std::unique_ptr<Injection>(const BenchRoom&, std::chrono::nanoseconds)> start;
};

std::vector<Backend> backends();

}  // namespace brownout::bench

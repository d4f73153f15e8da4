// SPDX-License-Identifier: MIT
// Builds one JSON value out of parser events.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace brownout::events {

class ValueBuilder {
 public:
  void key(std::string name) { key_ = std::move(name); }
  void scalar(nlohmann::json value) { insert(std::move(value)); }
  void start(nlohmann::json container) { open_.push_back(&insert(std::move(container))); }
  void end() { open_.pop_back(); }
  bool whole() const { return open_.empty(); }
  nlohmann::json take() { return std::exchange(root_, nullptr); }

 private:
  nlohmann::json& insert(nlohmann::json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_object()) return (*open_.back())[key_] = std::move(value);
    open_.back()->push_back(std::move(value));
    return open_.back()->back();
  }

  nlohmann::json root_;
  // Each an element of the one before, which does not change while the last one grows.
  std::vector<nlohmann::json*> open_;
  std::string key_;
};

}  // namespace brownout::events

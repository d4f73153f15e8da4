// SPDX-License-Identifier: MIT
// DNS queries that nobody answers while their socket stays open (resolvers that keep one socket for all): found by age.
#pragma once

#include <chrono>
#include <cstdint>

#include "trace_object.hpp"

namespace brownout::kernel {

class DnsSweeper {
 public:
  DnsSweeper(trace_bpf& object, std::chrono::nanoseconds patience) : object_(&object), patience_(patience) {}
  // Does something at most once a second. Each query that is too old becomes an event, made by the BPF program, so
  // that numbers and counts stay in one place.
  void sweep(std::int64_t now_ns);

 private:
  trace_bpf* object_;
  std::chrono::nanoseconds patience_;
  std::int64_t next_ns_ = 0;
};

}  // namespace brownout::kernel

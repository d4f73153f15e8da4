// SPDX-License-Identifier: MIT
// A kernel::Tracer that traces nothing: it makes the two maps that the injector shares with the real one.
#pragma once

#include <cstring>
#include <stdexcept>

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"

namespace brownout::test {

class SharedMaps final : public kernel::Tracer {
 public:
  SharedMaps() {
    LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);
    control_.reset(
        bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", sizeof(std::uint32_t), sizeof(brownout_control), 1, &mapped));
    LIBBPF_OPTS(bpf_map_create_opts, sparse, .map_flags = BPF_F_NO_PREALLOC);
    flows_.reset(bpf_map_create(BPF_MAP_TYPE_HASH, "flows", sizeof(brownout_flow_key), sizeof(brownout_flow),
                                BROWNOUT_MAX_FLOWS, &sparse));
    void* page = ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, control_.get(), 0);
    if (!control_ || !flows_ || page == MAP_FAILED) throw std::runtime_error("cannot make the shared maps");
    page_ = static_cast<brownout_control*>(page);
  }
  ~SharedMaps() override { ::munmap(page_, page_size()); }

  brownout_flow flow(const brownout_flow_key& key) const {
    brownout_flow found{};
    bpf_map_lookup_elem(flows_.get(), &key, &found);
    return found;
  }
  void put_flow(const brownout_flow_key& key, const brownout_flow& value) {
    bpf_map_update_elem(flows_.get(), &key, &value, BPF_ANY);
  }

  Result<> consume(std::chrono::milliseconds, const std::function<void(const brownout_event&)>&) override { return {}; }
  Result<> consume_payloads(const std::function<void(const brownout_payload&)>&) override { return {}; }
  brownout_trace_counters counters() const override { return {}; }
  void histogram(kernel::Histogram&) const override {}
  std::vector<kernel::DestinationLatency> latencies() const override { return {}; }
  Result<> list_in_flight() override { return {}; }
  void set_phase(brownout_phase) override {}
  std::vector<kernel::ProgramInfo> programs() const override { return {}; }
  kernel::ObjectIds objects() const override { return {}; }
  std::vector<std::string> not_observed() const override { return {}; }
  int control_map_fd() const override { return control_.get(); }
  int flows_map_fd() const override { return flows_.get(); }
  brownout_control& control() override { return *page_; }

 private:
  static std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }
  UniqueFd control_, flows_;
  brownout_control* page_ = nullptr;
};

}  // namespace brownout::test

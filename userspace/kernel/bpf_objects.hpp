// SPDX-License-Identifier: MIT
// Helpers on top of libbpf that injector, witness and doctor share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "brownout/kernel.hpp"

namespace brownout::kernel {

// libbpf talks through spdlog's debug level instead of stderr; its last warnings explain a failure (the verifier's
// complaint is among them).
void quiet_libbpf();
std::string last_libbpf_warnings();

// From libbpf's -errno.
std::unexpected<Error> fail_libbpf(int result, std::string what, std::string hint = {});

ProgramInfo program_info(int program_fd);
std::uint32_t program_id(int program_fd);
std::uint32_t map_id(int map_fd);
std::uint32_t link_id(int link_fd);

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using UniqueLink = std::unique_ptr<bpf_link, LinkDeleter>;

// Sum over all CPUs of a per-CPU value made of __u64 only.
template <typename Value>
Value sum_over_cpus(int map_fd, std::uint32_t index) {
  static_assert(sizeof(Value) % sizeof(std::uint64_t) == 0);
  constexpr std::size_t words = sizeof(Value) / sizeof(std::uint64_t);
  std::vector<std::uint64_t> all(words * static_cast<std::size_t>(libbpf_num_possible_cpus()));
  Value sum{};
  if (bpf_map_lookup_elem(map_fd, &index, all.data()) != 0) return sum;
  auto* into = reinterpret_cast<std::uint64_t*>(&sum);
  for (std::size_t i = 0; i < all.size(); ++i) into[i % words] += all[i];
  return sum;
}

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
#include "object_ids.hpp"

#include <cerrno>
#include <numeric>

namespace brownout::kernel {

std::vector<ProgramInfo> object_programs(const bpf_object* object) {
  std::vector<ProgramInfo> all;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    const int fd = bpf_program__fd(program);
    if (fd < 0) continue; // not loaded
    ProgramInfo info = program_info(fd);
    info.name = bpf_program__name(program); // the kernel keeps only 15 characters
    all.push_back(std::move(info));
  }
  return all;
}

void append_object_ids(const bpf_object* object, ObjectIds& ids) {
  for (const auto& program : object_programs(object)) ids.programs.push_back(program.id);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const int fd = bpf_map__fd(map);
    if (fd >= 0) ids.maps.push_back(map_id(fd));
  }
}

std::vector<std::uint64_t> sum_per_cpu_array(int map_fd, std::size_t elements) {
  const auto width = static_cast<std::size_t>(libbpf_num_possible_cpus());
  std::vector<std::uint32_t> keys(elements);
  std::vector<std::uint64_t> each(elements * width), sums(elements);
  std::uint32_t token = 0;
  auto count = static_cast<__u32>(elements);
  // One call for all (5.13 for per-CPU arrays); else one per element. A refusal leaves `count` as it was: only the
  // end of the map, ENOENT, is no failure.
  const int error = bpf_map_lookup_batch(map_fd, nullptr, &token, keys.data(), each.data(), &count, nullptr);
  if ((error != 0 && error != -ENOENT) || count != elements) {
    for (std::size_t i = 0; i < elements; ++i)
      sums[i] = sum_over_cpus<std::uint64_t>(map_fd, static_cast<std::uint32_t>(i));
    return sums;
  }
  for (std::size_t i = 0; i < count; ++i)
    sums[keys[i]] = std::accumulate(&each[i * width], &each[i * width] + width, std::uint64_t{0});
  return sums;
}

}  // namespace brownout::kernel

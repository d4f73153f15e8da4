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

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
#include "bpf_objects.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <deque>
#include <mutex>

#include <net/if.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "brownout/fd.hpp"

namespace brownout::kernel {
namespace {

constexpr std::size_t kWarningsKept = 8;
constexpr std::size_t kWarningEnd = 3000; // bytes
std::mutex warnings_mutex;
std::deque<std::string> warnings;

// The verifier says why at the end of its log.
std::string end_of(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.size() <= kWarningEnd) return text;
  return "..." + text.substr(text.size() - kWarningEnd);
}

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length < 0) return length;
  std::string text(static_cast<std::size_t>(length), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, arguments);
  std::string line = end_of(std::move(text));
  spdlog::debug("libbpf: {}", line);
  if (level != LIBBPF_WARN) return length;
  const std::lock_guard lock{warnings_mutex};
  warnings.push_back(std::move(line));
  if (warnings.size() > kWarningsKept) warnings.pop_front();
  return length;
}

std::string tag_text(const __u8 (&tag)[BPF_TAG_SIZE]) { return fmt::format("{:02x}", fmt::join(tag, "")); }

template <typename GetFd>
std::vector<std::uint32_t> that_open(const std::vector<std::uint32_t>& ids, GetFd get_fd) {
  std::vector<std::uint32_t> open;
  for (const std::uint32_t id : ids) {
    const UniqueFd fd{get_fd(id)};
    // Only ENOENT proves that it is gone.
    if (fd || errno != ENOENT) open.push_back(id);
  }
  return open;
}

}  // namespace

void quiet_libbpf() { libbpf_set_print(keep_warning); }

std::string last_libbpf_warnings() {
  const std::lock_guard lock{warnings_mutex};
  std::string text = fmt::format("{}", fmt::join(warnings, "; "));
  warnings.clear();
  return text;
}

std::unexpected<Error> fail_libbpf(int result, std::string what, std::string hint) {
  const int errno_value = result < 0 ? -result : errno;
  auto code = ErrorCode::kKernel;
  if (errno_value == EPERM || errno_value == EACCES) code = ErrorCode::kPermission;
  if (errno_value == EOPNOTSUPP || errno_value == ENOSYS) code = ErrorCode::kUnsupported;
  auto failed = fail_errno(code, errno_value, std::move(what), std::move(hint));
  if (auto said = last_libbpf_warnings(); !said.empty()) failed.error().context.push_back(std::move(said));
  return failed;
}

ProgramInfo program_info(int program_fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_prog_get_info_by_fd(program_fd, &info, &size) != 0) return {};
  const char* type = libbpf_bpf_prog_type_str(static_cast<bpf_prog_type>(info.type));
  return {.id = info.id,
          .name = info.name,
          .tag = tag_text(info.tag),
          .type = type ? type : std::to_string(info.type),
          .run_ns = info.run_time_ns,
          .runs = info.run_cnt,
          .missed = info.recursion_misses};
}

std::uint32_t program_id(int program_fd) { return program_info(program_fd).id; }

std::uint32_t map_id(int map_fd) {
  bpf_map_info info{};
  std::uint32_t size = sizeof info;
  return bpf_map_get_info_by_fd(map_fd, &info, &size) == 0 ? info.id : 0;
}

std::uint32_t link_id(int link_fd) {
  bpf_link_info info{};
  std::uint32_t size = sizeof info;
  return bpf_link_get_info_by_fd(link_fd, &info, &size) == 0 ? info.id : 0;
}

ObjectIds still_there(const ObjectIds& objects) {
  ObjectIds there;
  there.programs = that_open(objects.programs, bpf_prog_get_fd_by_id);
  there.maps = that_open(objects.maps, bpf_map_get_fd_by_id);
  there.links = that_open(objects.links, bpf_link_get_fd_by_id);
  std::array<char, IF_NAMESIZE> name{};
  for (const int index : objects.interfaces)
    if (::if_indextoname(static_cast<unsigned>(index), name.data()) || errno != ENXIO)
      there.interfaces.push_back(index);
  return there;
}

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
#include "classifier_hook.hpp"

#include <cerrno>
#include <utility>

#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace brownout::kernel {
namespace {

// Filters of one priority are tried newest first, so ours goes ahead; a priority may be taken by filters of another
// kind, and the next one has to do.
constexpr std::uint32_t kFirstPriority = 1, kLastPriority = 16;

// Drawn, so that no filter of somebody else is met by chance; cls_bpf keeps the upper bits for itself.
Result<std::uint32_t> draw_handle() {
  std::uint32_t drawn = 0;
  if (::getrandom(&drawn, sizeof drawn, 0) != static_cast<ssize_t>(sizeof drawn))
    return fail_errno(ErrorCode::kKernel, "draw random numbers");
  return (drawn & 0x07ffffffU) | 0x04000000U;
}

nlohmann::json journal_entry(const FilterId& filter, const std::string& device) {
  return {{"object", "filter"},
          {"device", device},
          {"ifindex", filter.ifindex},
          {"side", name(filter.side)},
          {"priority", filter.priority},
          {"handle", filter.handle},
          {"program_id", filter.program_id},
          {"program_tag", filter.program_tag}};
}

// A program that was unhooked may still run on another CPU: closing a link waits for that, removing a filter does not.
void await_grace_period() { ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

}  // namespace

ClassifierHook::ClassifierHook(ClassifierHook&& other) noexcept
    : place_(std::move(other.place_)),
      link_(std::move(other.link_)),
      filter_(std::exchange(other.filter_, {})) {}

ClassifierHook& ClassifierHook::operator=(ClassifierHook&& other) noexcept {
  if (this == &other) return *this;
  static_cast<void>(detach());
  place_ = std::move(other.place_);
  link_ = std::move(other.link_);
  filter_ = std::exchange(other.filter_, {});
  return *this;
}

Result<ClassifierHook> ClassifierHook::attach(HookKind kind, int program_fd, Place place, Journal* journal) {
  ClassifierHook hook;
  hook.place_ = std::move(place);
  BROWNOUT_TRY(kind == HookKind::kTcx ? hook.attach_link(program_fd) : hook.attach_filter(program_fd, journal));
  return hook;
}

Result<> ClassifierHook::attach_link(int program_fd) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = BPF_F_BEFORE);
  const auto side = place_.side == HookSide::kIngress ? BPF_TCX_INGRESS : BPF_TCX_EGRESS;
  link_.reset(bpf_link_create(program_fd, place_.ifindex, side, &options));
  if (link_) return {};
  auto failed = fail_libbpf(-errno, fmt::format("attach to {} of {}", name(place_.side), place_.device));
  if (failed.error().errno_value == EINVAL) {
    failed.error().code = ErrorCode::kUnsupported;
    failed.error().hint = "tcx links exist since Linux 6.6.";
  }
  return failed;
}

Result<> ClassifierHook::attach_filter(int program_fd, Journal* journal) {
  const ProgramInfo program = program_info(program_fd);
  BROWNOUT_ASSIGN(const auto handle, draw_handle());
  FilterId filter{.ifindex = place_.ifindex,
                  .side = place_.side,
                  .handle = handle,
                  .program_id = program.id,
                  .program_tag = program.tag};
  Result<> added;
  for (filter.priority = kFirstPriority; filter.priority <= kLastPriority; ++filter.priority) {
    if (journal) BROWNOUT_TRY(journal->note(journal_entry(filter, place_.device)));
    added = add_filter(filter, program_fd, place_.device);
    if (added) {
      filter_ = filter;
      return {};
    }
  }
  return added;
}

Result<> ClassifierHook::detach() {
  link_.reset();
  if (filter_.handle == 0) return {};
  const FilterId filter = std::exchange(filter_, {});
  BROWNOUT_TRY(remove_filter(filter, place_.device));
  await_grace_period();
  return {};
}

std::uint32_t ClassifierHook::link_id() const { return link_ ? kernel::link_id(link_.get()) : 0; }

std::string ClassifierHook::description() const {
  if (filter_.handle == 0) return fmt::format("tcx link {} on {} of {}", link_id(), name(place_.side), place_.device);
  return fmt::format("filter on {} of {}, priority {}, handle {:#x}", name(place_.side), place_.device,
                     filter_.priority, filter_.handle);
}

}  // namespace brownout::kernel

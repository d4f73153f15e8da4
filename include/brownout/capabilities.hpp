// SPDX-License-Identifier: MIT
// Capabilities (capabilities(7)). The kernel keeps them for each thread apart, and a thread begins with those of its
// maker: one that is older than the moment at which the process gives up its own has to give them up itself.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <linux/capability.h>

#include "brownout/error.hpp"

namespace brownout {

class CapabilitySet {
 public:
  constexpr CapabilitySet() = default;
  constexpr CapabilitySet(std::initializer_list<unsigned> capabilities) {
    for (const unsigned capability : capabilities) bits_ |= std::uint64_t{1} << capability;
  }
  static constexpr CapabilitySet of_bits(std::uint64_t bits) {
    CapabilitySet set;
    set.bits_ = bits;
    return set;
  }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr CapabilitySet with(CapabilitySet more) const { return of_bits(bits_ | more.bits_); }
  constexpr CapabilitySet within(CapabilitySet limit) const { return of_bits(bits_ & limit.bits_); }
  constexpr CapabilitySet without(CapabilitySet less) const { return of_bits(bits_ & ~less.bits_); }
  constexpr bool operator==(const CapabilitySet&) const = default;

 private:
  std::uint64_t bits_ = 0;
};

// "CAP_NET_ADMIN, CAP_BPF"; "none".
std::string names(CapabilitySet capabilities);

// Of the calling thread.
Result<CapabilitySet> effective_capabilities();
// The calling thread keeps what it has of these, for good; it hands none on to programs that it starts as another user.
Result<> keep_only(CapabilitySet kept);
// Nothing that this thread, those it makes from now on, or their programs execute gives them more than they have.
Result<> forbid_new_privileges();
// What any thread of this process may still use.
Result<CapabilitySet> permitted_in_any_thread();

// While it lives, nothing that the calling thread does is privileged: for bytes that others wrote.
class Unprivileged {
 public:
  Unprivileged();
  ~Unprivileged();
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  CapabilitySet before_;
};

}  // namespace brownout

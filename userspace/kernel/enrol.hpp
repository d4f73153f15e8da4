// SPDX-License-Identifier: MIT
// Connections that were open before brownout came: a pool that lives for days has no connect for us to see.
#pragma once

#include <string>
#include <vector>

#include "brownout/error.hpp"
#include "brownout/target.hpp"
#include "trace_object.hpp"

namespace brownout::kernel {

// Tells the programs who owns which socket, from /proc/PID/fd of the target's processes.
Result<> fill_owners(trace_bpf& object, const target::Target& target, const std::string& preferred_comm);

enum class EnrolPass { kListeners, kConnections };
// One walk over the sockets of the target's network namespace. kUnsupported when the iterator is not loaded.
Result<> enrol(trace_bpf& object, const target::Target& target, EnrolPass pass);
// The same, for what is under way: it comes out of the ring.
Result<> list_in_flight(const trace_bpf& object, pid_t netns_of);

}  // namespace brownout::kernel

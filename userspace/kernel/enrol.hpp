// SPDX-License-Identifier: MIT
// Connections that were open before brownout came: a pool that lives for days has no connect for us to see.
#pragma once

#include <string>
#include <vector>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"
#include "brownout/target.hpp"
#include "trace_object.hpp"

namespace brownout::kernel {

// Tells the programs who owns which socket, from /proc/PID/fd of the target's processes.
Result<> fill_owners(trace_bpf& object, const target::Target& target, const std::string& preferred_comm);

enum class EnrolPass { kListeners, kConnections };
// One walk over the sockets of the target's network namespace. kUnsupported when the iterator is not loaded.
Result<> enrol(trace_bpf& object, const target::Target& target, EnrolPass pass);
// The same, for what is under way: it comes out of the ring. Made beforehand, each for one walk at any later time: an
// iterator is bound to a network namespace when it is created, and to go there takes CAP_SYS_ADMIN.
using Walks = std::vector<UniqueFd>;
Result<Walks> prepare_in_flight_walks(const trace_bpf& object, pid_t netns_of);
Result<> walk_to_end(const UniqueFd& walk);

}  // namespace brownout::kernel

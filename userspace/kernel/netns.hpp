// SPDX-License-Identifier: MIT
// Other network namespaces, and work in them.
#pragma once

#include <cstdint>
#include <functional>

#include "brownout/fd.hpp"

namespace brownout::kernel {

// Done by a thread of its own that ends in the other namespace: nobody has to come back, and so nobody can fail to.
// Sockets that `work` opens stay in that namespace.
Result<> in_netns(const UniqueFd& netns, const std::function<Result<>()>& work);

Result<UniqueFd> open_netns(std::int32_t pid);  // 0: that of the calling thread
// A network namespace without a name, empty but for a lo that is down. It lives as long as the descriptor and what
// is opened in it: devices in it vanish with the process, however that ends.
Result<UniqueFd> make_netns();
Result<std::uint64_t> netns_inode(const UniqueFd& netns);

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
#include "brownout/target.hpp"

namespace brownout::target {

nlohmann::json to_json(const Target& target) {
  return {{"name", target.name},
          {"runtime", target.runtime},
          {"container_id", target.container_id},
          {"pid", target.pid},
          {"cgroup_path", target.cgroup_path.string()},
          {"cgroup_id", target.cgroup_id},
          {"cgroup_level", target.cgroup_level},
          {"netns_inode", target.netns_inode},
          {"host_network", target.host_network},
          {"image", target.image},
          {"image_digest", target.image_digest},
          {"labels", target.labels}};
}

}  // namespace brownout::target

// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/text.hpp"
#include "content_check.hpp"
#include "layout.hpp"
#include "schemas.hpp"

namespace brownout::bundle {
namespace {

// Lists and paths are somebody else's: what is said of them steers no terminal.
class Problems {
 public:
  void push_back(std::string_view problem) { problems_.push_back(visible(problem)); }
  std::vector<std::string> take() { return std::move(problems_); }

 private:
  std::vector<std::string> problems_;
};

void check_digests(const std::map<std::string, std::string>& listed, const Members& members, Problems& problems) {
  for (const auto& [path, digest] : listed) {
    const auto member = members.find(path);
    if (is_unlisted(path)) {
      problems.push_back(path == kChecksums ? fmt::format("{} lists itself", kChecksums)
                                            : fmt::format("{} lists {}, which is made of it", kChecksums, path));
    } else if (member == members.end()) {
      problems.push_back(fmt::format("missing: {}", path));
    } else if (member->second.sha256 != digest) {
      problems.push_back(fmt::format("not as sealed: {} (sha256 {}, listed {})", path, member->second.sha256, digest));
    }
  }
  for (const auto& [path, member] : members)
    if (!is_unlisted(path) && !listed.contains(path))
      problems.push_back(fmt::format("not listed in {}: {}", kChecksums, path));
}

}  // namespace

std::vector<std::string> check_listing(const std::filesystem::path& directory, const Members& members) {
  Problems problems;
  for (const auto path : kAlways)
    if (!members.contains(std::string{path})) problems.push_back(fmt::format("missing: {}", path));
  for (const auto& schema : schemas())
    if (!members.contains(std::string{schema.path})) problems.push_back(fmt::format("missing: {}", schema.path));
  for (const auto& [path, member] : members)
    if (!is_known(path)) problems.push_back(fmt::format("no file of a bundle: {}", path));
  const auto text = read_file(directory / kChecksums);
  if (!text) return problems.take();  // reported as missing
  if (const auto listed = parse_checksums(*text)) {
    check_digests(*listed, members, problems);
  } else {
    problems.push_back(listed.error().render());
  }
  if (const auto list = read_file(directory / kFileList); list && *list != render_file_list(members))
    problems.push_back(fmt::format("{} does not list the files that are there", kFileList));
  return problems.take();
}

}  // namespace brownout::bundle

// SPDX-License-Identifier: MIT
#include "brownout/json_fields.hpp"
#include "brownout/provenance.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "answer.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

constexpr std::string_view kImageLabels = "org.opencontainers.image.";
constexpr std::size_t kLongestValue = 1024;

class Facts {
 public:
  void add(const char* name, std::string value, std::string source) {
    if (value.empty() || value.size() > kLongestValue) return;
    found_.facts.push_back({name, std::move(value), std::move(source)});
  }
  void tried(std::string what) { found_.tried.push_back(std::move(what)); }

  // Labels and annotations under the names that the OCI gave them.
  void add_labels(const json& labels, const std::string& source) {
    const auto at = [&labels](std::string_view name) {
      const auto label = labels.find(std::string{kImageLabels} + std::string{name});
      return label != labels.end() && label->is_string() ? label->get<std::string>() : std::string{};
    };
    for (const auto& [fact, label] : {std::pair{"git_commit", "revision"}, std::pair{"image_version", "version"},
                                      std::pair{"image_source", "source"}, std::pair{"image_ref_name", "ref.name"}})
      add(fact, at(label), fmt::format("{} {}{}", source, kImageLabels, label));
  }

  // "registry:5000/name:tag@sha256:..." in its parts.
  void add_reference(const std::string& reference, const std::string& source) {
    const auto named = reference.substr(0, reference.find('@'));
    const auto colon = named.rfind(':');
    const bool has_tag = colon != std::string::npos && named.find('/', colon) == std::string::npos;
    add("image", reference, source);
    if (reference.starts_with("sha256:")) return;
    add("image_name", has_tag ? named.substr(0, colon) : named, source);
    if (has_tag) add("docker_image_tag", named.substr(colon + 1), source);
  }
  Provenance take() { return std::move(found_); }

 private:
  Provenance found_;
};

json texts_at(const json& object, const char* pointer) {
  const json::json_pointer path{pointer};
  return object.is_object() && object.contains(path) && object[path].is_array() ? object[path] : json::array();
}

// As docker and podman describe an image.
void add_image(Facts& facts, const json& image, const std::string& runtime) {
  facts.add("image_created", text_at(image, "/Created"), runtime + ": the image's Created");
  for (const auto& digest : texts_at(image, "/RepoDigests"))
    if (digest.is_string()) facts.add("image_digest", digest.get<std::string>(), runtime + ": the image's RepoDigests");
  for (const auto& tag : texts_at(image, "/RepoTags"))
    if (tag.is_string()) facts.add_reference(tag.get<std::string>(), runtime + ": the image's RepoTags, as they are now");
  facts.add_labels(object_at(image, "/Config/Labels"), runtime + ": the image's label");
}

// Only what an id can hold goes into a path.
bool is_id(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefsh:") == std::string::npos;
}

using Inspect = std::function<Asked(const char* sort, const std::string& id)>;

void add_inspected(Facts& facts, const Target& target, const Inspect& inspect) {
  const auto& runtime = target.runtime;
  if (!is_id(target.container_id)) return facts.tried(runtime + ": the container has no id");
  const auto container = inspect("container", target.container_id);
  if (!container.problem.empty()) return facts.tried(container.problem);
  facts.add_reference(text_at(container.body, "/Config/Image"), runtime + ": the container's Config.Image");
  facts.add("image_id", text_at(container.body, "/Image"), runtime + ": the container's Image");
  facts.add("container_created", text_at(container.body, "/Created"), runtime + ": the container's Created");
  facts.add_labels(object_at(container.body, "/Config/Labels"), runtime + ": the container's label");
  const auto id = text_at(container.body, "/Image");
  if (!is_id(id)) return;
  const auto image = inspect("image", id);
  if (image.problem.empty()) add_image(facts, image.body, runtime);
  else facts.tried(image.problem);
}

void add_containerd(Facts& facts, const Target& target, const drill::Target& wanted, const Surroundings& surroundings) {
  const auto* named = std::get_if<drill::ContainerTarget>(&wanted);
  const auto info = containerd_info(target.container_id, named == nullptr ? drill::ContainerTarget{} : *named, surroundings);
  if (!info.problem.empty()) return facts.tried("containerd: " + info.problem);
  facts.add_reference(text_at(info.body, "/Image"), "containerd: Image, of the container");
  facts.add("container_created", text_at(info.body, "/CreatedAt"), "containerd: CreatedAt, of the container");
  facts.add_labels(object_at(info.body, "/Labels"), "containerd: the container's label");
}

void add_oci(Facts& facts, const Target& target, const drill::Target& wanted, const std::string& search_path) {
  const auto* named = std::get_if<drill::ContainerTarget>(&wanted);
  const auto state = oci_state(target.runtime, target.container_id, named == nullptr ? "" : named->root, search_path);
  if (!state.problem.empty()) return facts.tried(fmt::format("{}: {}", target.runtime, state.problem));
  facts.add("container_created", text_at(state.body, "/created"), target.runtime + ": created, of its state");
  facts.add("container_bundle", text_at(state.body, "/bundle"), target.runtime + ": bundle, of its state");
  facts.add_labels(object_at(state.body, "/annotations"), target.runtime + ": annotation");
}

}  // namespace

Provenance provenance_of(const Target& target, const drill::Target& wanted, const Surroundings& surroundings) {
  Facts facts;
  facts.add("container_id", target.container_id, target.runtime);
  const auto& runtime = target.runtime;
  if (runtime == "docker")
    add_inspected(facts, target, [&](const char* sort, const std::string& id) {
      return get_from_docker(fmt::format("/{}s/{}/json", sort, id), surroundings.docker_host);
    });
  else if (runtime == "podman")
    add_inspected(facts, target, [&](const char* sort, const std::string& id) {
      return inspect_by_podman(sort, id, surroundings.search_path);
    });
  else if (runtime == "containerd") add_containerd(facts, target, wanted, surroundings);
  else if (runtime == "runc" || runtime == "crun") add_oci(facts, target, wanted, surroundings.search_path);
  else if (!target.container_id.empty()) facts.tried(runtime + " knows nothing of images");
  else facts.tried(fmt::format("the drill names the target by {}: no runtime was asked", target.runtime));
  return facts.take();
}

LayerDiff layer_diff(const Target& target, const Surroundings& surroundings) {
  if (target.runtime != "docker") return {nullptr, fmt::format("{} tells no layer diff", target.runtime)};
  if (!is_id(target.container_id)) return {nullptr, "docker: the container has no id"};
  auto changes = get_from_docker(fmt::format("/containers/{}/changes", target.container_id), surroundings.docker_host);
  if (!changes.problem.empty()) return {nullptr, std::move(changes.problem)};
  if (changes.body.is_null()) return {json::array(), ""};
  if (!changes.body.is_array()) return {nullptr, "docker answers with something that is no list of changes"};
  std::sort(changes.body.begin(), changes.body.end(),
            [](const json& a, const json& b) { return text_at(a, "/Path") < text_at(b, "/Path"); });
  return {std::move(changes.body), ""};
}

}  // namespace brownout::target

// SPDX-License-Identifier: MIT
// A drill from flags, as the file that its user would have written.
#include <yaml-cpp/yaml.h>

#include "brownout/drill.hpp"

namespace brownout::drill {
namespace {

// `labels`: one more key, with what stands in them, where there are any.
void emit(YAML::Emitter& into, const std::string& key, const AdHoc::Values& values, const AdHoc::Values& labels = {}) {
  into << YAML::Key << key << YAML::Value << YAML::Flow << YAML::BeginMap;
  for (const auto& [name, value] : values) into << YAML::Key << name << YAML::Value << value;
  if (!labels.empty()) emit(into, "labels", labels);
  into << YAML::EndMap;
}

void emit_fault(YAML::Emitter& into, const std::string& kind, const AdHoc::Values& values, const AdHoc::Values& match) {
  into << YAML::BeginMap;
  emit(into, kind, values);
  if (match.empty()) {
    into << YAML::Key << "match" << YAML::Value << "all";
  } else {
    emit(into, "match", match);
  }
  into << YAML::EndMap;
}

}  // namespace

std::string yaml_of(const AdHoc& drill) {
  YAML::Emitter text;
  text << YAML::BeginMap << YAML::Key << "brownout" << YAML::Value << "1" << YAML::Key << "name" << YAML::Value << drill.name;
  emit(text, "target", drill.target, drill.target_labels);
  emit(text, "phases", drill.phases);
  text << YAML::Key << "faults" << YAML::Value << YAML::BeginSeq;
  if (!drill.latency.empty()) emit_fault(text, "latency", drill.latency, drill.match);
  if (!drill.loss.empty()) emit_fault(text, "loss", drill.loss, drill.match);
  if (drill.blackhole) emit_fault(text, "blackhole", {}, drill.match);
  text << YAML::EndSeq;
  for (const auto& [key, value] : drill.more) text << YAML::Key << key << YAML::Value << value;
  text << YAML::EndMap;
  return std::string{text.c_str()} + "\n";
}

}  // namespace brownout::drill

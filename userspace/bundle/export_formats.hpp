// SPDX-License-Identifier: MIT
// One writer for each format; pure.
#pragma once

#include <string>
#include <vector>

#include "brownout/bundle.hpp"

namespace brownout::bundle {

struct Subject { std::string name, sha256; };
struct ExportInputs {
  const Judgement& judgement;
  const nlohmann::json& manifest; // an empty object where nothing was sealed
  std::vector<Subject> subjects;  // what says that the evidence is this one: the archive, its list of digests, or the records
  std::vector<Subject> rules;     // drill.yaml and plan.json
  std::vector<events::PacketRecord> packets; // for pcapng alone
};

std::string export_junit(const ExportInputs& inputs);
std::string export_chaos_toolkit(const ExportInputs& inputs);
std::string export_in_toto(const ExportInputs& inputs);
std::string export_open_metrics(const ExportInputs& inputs);
std::string export_csv(const ExportInputs& inputs);
std::string export_pcapng(const ExportInputs& inputs);

// "NOT_MEASURABLE: why", for formats that have no such state; empty for PASS and FAIL, which all have.
std::string note_on(const verdict::Verdict& verdict);
std::string note_on(const verdict::Check& check);
// Of the records: first and last entry of the timeline, as UTC.
struct Span { std::int64_t start_ns = 0, end_ns = 0; };
Span span_of(const events::Evidence& evidence);
double seconds(std::int64_t ns);

}  // namespace brownout::bundle

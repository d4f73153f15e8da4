// SPDX-License-Identifier: MIT
// The parts of html_data(). Times are seconds since the injection began, or since the first sample where it never did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "report_sections.hpp"

namespace brownout::bundle {

inline constexpr std::size_t kMostHtmlRows = 500; // of a table

class Axis {
 public:
  explicit Axis(const events::Evidence& evidence);
  std::int64_t zero_ns() const { return zero_ns_; }
  double second(std::int64_t t_mono_ns) const;
  std::size_t bins() const { return edges_.empty() ? 0 : edges_.size() - 1; }
  const events::CounterSample& start(std::size_t bin) const { return evidence_.counters[edges_[bin]]; }
  const events::CounterSample& end(std::size_t bin) const { return evidence_.counters[edges_[bin + 1]]; }
  double seconds(std::size_t bin) const;
  // How many of the times lie in each bin; what lies before or behind all of them is in the first or the last.
  std::vector<std::uint64_t> count(const std::vector<std::int64_t>& times) const;
  // Samples behind the first edge, up to and with the second.
  std::pair<std::size_t, std::size_t> samples(std::size_t bin) const { return {edges_[bin] + 1, edges_[bin + 1]}; }

 private:
  const events::Evidence& evidence_;
  std::vector<std::size_t> edges_;
  std::int64_t zero_ns_ = 0;
};

nlohmann::ordered_json html_axis(const ReportInputs& inputs, const Axis& axis);
nlohmann::ordered_json html_series(const ReportInputs& inputs, const Axis& axis);

// One table: rows of text, beyond kMostHtmlRows counted only. With `moments` the first cell of a row is a time.
class HtmlTable {
 public:
  HtmlTable(std::string_view section, std::string_view caption, std::vector<std::string> columns)
      : section_(section), caption_(caption), columns_(std::move(columns)) {}
  HtmlTable& moments() { return moments_ = true, *this; }
  HtmlTable& note(std::string text) { return note_ = std::move(text), *this; }
  HtmlTable& when_empty(std::string_view text) { return when_empty_ = text, *this; }
  void add(nlohmann::ordered_json row);
  std::size_t rows() const { return rows_.size() + left_out_; }
  nlohmann::ordered_json json() const;

 private:
  std::string section_, caption_, note_, when_empty_;
  std::vector<std::string> columns_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
  std::size_t left_out_ = 0;
  bool moments_ = false;
};

using HtmlTables = std::vector<HtmlTable>;
void add_moments(const ReportInputs& inputs, const Axis& axis, HtmlTables& tables);
void add_latency(const ReportInputs& inputs, HtmlTables& tables);
void add_injection(const ReportInputs& inputs, HtmlTables& tables);
void add_checks(const ReportInputs& inputs, HtmlTables& tables);
void add_environment(const ReportInputs& inputs, HtmlTables& tables);

}  // namespace brownout::bundle

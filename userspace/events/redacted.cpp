// SPDX-License-Identifier: MIT
#include "redacted.hpp"

#include <utility>

#include "brownout/capabilities.hpp"
#include "codec.hpp"

namespace brownout::events {
namespace {

// What an app wrote: numbers and the names of members too, to which only patterns and URLs apply.
Json of_app(const Redactor& redactor, const Json& value) {
  if (value.is_number() && !redactor.has_patterns()) return value;
  if (value.is_number()) {
    const auto digits = value.dump();
    auto text = redactor.text(digits);
    return text == digits ? value : Json(std::move(text));
  }
  if (!value.is_structured()) return value;
  Json redacted = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, element] : value.items()) {
    if (value.is_array()) redacted.push_back(of_app(redactor, element));
    else redacted[redactor.text(key)] = of_app(redactor, element);
  }
  return redacted;
}

// The words by which the timeline is read, whatever a pattern matches.
bool is_word(std::string_view key) {
  return key == "phase" || key == "edge" || key == "ending" || key == "source" || key == "when";
}

}  // namespace

NameRecord redacted(const Redactor& redactor, NameRecord name) {
  const Unprivileged reading;
  name.name = redactor.text(name.name);
  return name;
}

Snapshot redacted(const Redactor& redactor, Snapshot snapshot) {
  const Unprivileged reading;
  for (auto& error : snapshot.new_errors) error.raw = of_app(redactor, redactor.value(error.raw));
  snapshot.counters = of_app(redactor, redactor.value(snapshot.counters));
  snapshot.problem = redactor.text(snapshot.problem);
  if (snapshot.body) snapshot.body = redactor.text(*snapshot.body);
  return snapshot;
}

TimelineEntry redacted(const Redactor& redactor, TimelineEntry entry) {
  const Unprivileged reading;
  for (auto& [key, value] : entry.fields.items())
    if (!is_word(key)) value = redactor.value(value);
  if (const auto manifest = entry.fields.find("manifest"); entry.kind == "app_manifest" && manifest != entry.fields.end())
    *manifest = of_app(redactor, *manifest);
  return entry;
}

namespace {

class RedactingRecorder final : public Recorder {
 public:
  RedactingRecorder(std::unique_ptr<Recorder> inner, Redactor redactor)
      : inner_(std::move(inner)), redactor_(std::move(redactor)) {}

  Result<> record(const brownout_event& event) override { return inner_->record(event); }
  Result<> record(const CounterSample& sample) override { return inner_->record(sample); }
  Result<> record(const NameRecord& name) override { return inner_->record(redacted(redactor_, name)); }
  Result<> record(const LatencyRecord& latency) override { return inner_->record(latency); }
  Result<> record(const PacketRecord& packet) override { return inner_->record(packet); }
  Result<> record(const Snapshot& snapshot) override { return inner_->record(snapshot); }
  Result<> record(const TimelineEntry& entry) override { return inner_->record(redacted(redactor_, entry)); }
  Result<> flush() override { return inner_->flush(); }
  Result<> close() override { return inner_->close(); }
  DiskFigures disk() const override { return inner_->disk(); }

 private:
  std::unique_ptr<Recorder> inner_;
  Redactor redactor_;
};

}  // namespace

std::unique_ptr<Recorder> redacting(std::unique_ptr<Recorder> recorder, Redactor redactor) {
  return std::make_unique<RedactingRecorder>(std::move(recorder), std::move(redactor));
}

}  // namespace brownout::events

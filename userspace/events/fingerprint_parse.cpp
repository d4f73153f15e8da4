// SPDX-License-Identifier: MIT
// The fingerprint as a stream: only what is new is built; a list of 100 MB costs one pass and little memory.
#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "json_input.hpp"
#include "known_errors.hpp"
#include "records.hpp"
#include "value_builder.hpp"

namespace brownout::events {
namespace {

// Below, all of it is parsed every time.
constexpr std::size_t kLarge = std::size_t{1} << 20;
// About what is kept takes in memory, so that no file of 256 MiB can make GBs of it: a value, beside its text, and an
// element of error_events. The bounds are of one version.
constexpr std::size_t kValueBytes = 64, kErrorBytes = 256;
constexpr std::size_t kMostOfErrors = std::size_t{256} << 20;
constexpr std::size_t kMostOfCounters = std::size_t{1} << 20;

class Handler final : public nlohmann::json_sax<Json> {
 public:
  // `cut`: elements that the text lacks behind its first error.
  Handler(Fingerprint& into, std::size_t first_error, std::uint64_t cut)
      : into_(into), first_error_(first_error), cut_(cut) {}

  const std::string& problem() const { return problem_; }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(number_integer_t value) override { return number(value); }
  bool number_unsigned(number_unsigned_t value) override { return number(value); }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool string(string_t& value) override {
    if (!building_ && !wanted()) return scalar(nullptr);
    return pay(value.size()) && scalar(std::move(value));
  }
  bool binary(binary_t&) override { return refuse("binary value"); }

  bool key(string_t& name) override {
    if (building_ && !pay(name.size())) return false;
    if (building_) builder_.key(std::move(name));
    else if (depth_ == 1) field_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override { return start(Json::object()); }
  bool start_array(std::size_t) override { return start(Json::array()); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    return refuse(printable(without_quote(error.what())));
  }

 private:
  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool in_error_list() const { return depth_ == 2 && in_errors_; }

  bool pay(std::size_t bytes) {
    std::size_t& paid = in_errors_ ? paid_for_errors_ : paid_for_counters_;
    const std::size_t most = in_errors_ ? kMostOfErrors : kMostOfCounters;
    paid += bytes;
    if (paid <= most) return true;
    return refuse(in_errors_ ? "more new errors at once than are taken" : "more counters than are taken");
  }

  // Whether the value that begins now is one to keep.
  bool wanted() {
    if (in_error_list()) return into_.error_events == 0 || into_.error_events >= first_error_;
    return depth_ == 1 && field_ == "latency_stats_ms";
  }

  bool begin() {
    building_ = true;
    return pay(in_error_list() ? kErrorBytes : kValueBytes);
  }

  bool start(Json container) {
    if (depth_ == 0 && !container.is_object()) return refuse("not an object");
    if (depth_ >= kDeepestNesting) return refuse(fmt::format("nested deeper than {}", kDeepestNesting));
    if (!building_ && wanted() && !begin()) return false;
    if (building_) {
      if (!pay(kValueBytes)) return false;
      builder_.start(std::move(container));
    } else if (depth_ == 1 && field_ == "error_events") {
      in_errors_ = container.is_array();
      ++lists_;
      into_.error_events = 0;
      into_.errors.clear();
    }
    ++depth_;
    return true;
  }

  bool end() {
    --depth_;
    if (building_) {
      builder_.end();
      if (builder_.whole()) keep();
    } else if (in_error_list()) {
      count_error();
    } else if (depth_ == 1) {
      in_errors_ = false;
    }
    return true;
  }

  bool scalar(Json value) {
    if (depth_ == 0) return refuse("not an object");
    if (!building_ && wanted()) {
      if (!begin()) return false;
      builder_.scalar(std::move(value));
      keep();
    } else if (building_) {
      if (!pay(kValueBytes)) return false;
      builder_.scalar(std::move(value));
    } else if (in_error_list()) {
      count_error();
    }
    return true;
  }

  // Its index.
  std::uint64_t count_error() {
    const std::uint64_t index = into_.error_events++;
    if (index == 0 && lists_ == 1) into_.error_events += cut_;
    return index;
  }

  bool number(auto value) {
    if (!building_ && depth_ == 1 && field_ != "latency_stats_ms") {
      if (!pay(kValueBytes + field_.size())) return false;
      keep_number(Json(value));
      return true;
    }
    return scalar(value);
  }

  void keep_number(Json value) {
    const bool whole = value.is_number_integer() &&
                       !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
    auto* const known = field_ == "api_calls"     ? &into_.api_calls
                        : field_ == "orders_sent" ? &into_.orders_sent
                        : field_ == "error_count" ? &into_.error_count
                                                  : nullptr;
    if (known != nullptr && whole) {
      *known = value.get<std::int64_t>();
    } else {
      into_.counters[field_] = std::move(value);
    }
  }

  void keep() {
    building_ = false;
    Json value = builder_.take();
    if (!in_error_list()) {
      into_.counters[field_] = std::move(value);
      return;
    }
    const std::size_t index = count_error();
    if (index == 0) into_.oldest_error_sha256 = sha256(value.dump());
    if (index >= first_error_) into_.errors.push_back(app_error(index, std::move(value)));
  }

  Fingerprint& into_;
  std::size_t first_error_;
  std::uint64_t cut_;
  int lists_ = 0;  // a key can come twice
  std::string problem_;
  std::string field_;  // of the outermost object
  int depth_ = 0;
  bool in_errors_ = false;
  bool building_ = false;
  ValueBuilder builder_;
  std::size_t paid_for_errors_ = 0, paid_for_counters_ = 0;
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// Nanoseconds of an int64 reach from 1677 to 2262.
std::optional<std::int64_t> stamp_of(const std::string& text) {
  const auto year = text.substr(0, 4);
  return year >= "1678" && year < "2262" ? parse_utc(text) : std::nullopt;
}

// A count since 1970, in s, ms, us or ns: which, its size tells for any time from 2001 to 2262. A fraction of a double is
// good to a microsecond.
std::optional<std::int64_t> epoch_of(const Json& number) {
  const double value = number.get<double>();
  if (!(value >= 1e9 && value < 9.2e18)) return std::nullopt;
  std::int64_t ns_per_unit = 1'000'000'000;
  for (double limit = 1e11; value >= limit && ns_per_unit > 1; limit *= 1e3) ns_per_unit /= 1000;
  if (number.is_number_integer()) {
    std::int64_t ns = 0;
    return __builtin_mul_overflow(number.get<std::int64_t>(), ns_per_unit, &ns) ? std::nullopt : std::optional{ns};
  }
  const double ns = value * static_cast<double>(ns_per_unit);
  return ns < 9.2e18 ? std::optional{static_cast<std::int64_t>(ns)} : std::nullopt;
}

std::optional<std::int64_t> when(const Json& error) {
  const auto found = error.is_object() ? error.find("ts_utc") : error.end();
  if (error.is_object() && found != error.end() && found->is_number()) return epoch_of(*found);
  return stamp_of(text_of(error, "ts_utc"));
}

Result<Fingerprint> parse(std::string_view text, std::size_t first_error, std::uint64_t cut) {
  if (has_nul(text)) return fail(ErrorCode::kFormat, "not JSON: it has NUL bytes");
  Fingerprint fingerprint;
  Handler handler(fingerprint, first_error, cut);
  try {
    if (Json::sax_parse(text, &handler)) return fingerprint;
  } catch (const std::exception& error) {
    return fail(ErrorCode::kFormat, printable(error.what()));
  }
  return fail(ErrorCode::kFormat, handler.problem());
}

}  // namespace

AppError app_error(std::size_t index, Json raw) {
  AppError error{.index = index,
                 .utc_ns = when(raw),
                 .type = text_of(raw, "type"),
                 .where = text_of(raw, "where"),
                 .message = text_of(raw, "message"),
                 .exception_type = text_of(raw, "exception_type"),
                 .url = text_of(raw, "url")};
  error.raw = std::move(raw);
  return error;
}

Result<Fingerprint> parse_fingerprint(std::string_view text, std::size_t first_error) {
  const auto known = text.size() < kLarge ? std::nullopt : find_known_errors(text, first_error);
  if (!known) return parse(text, first_error, 0);
  std::string shorter{text.substr(0, known->begin)};
  shorter += text.substr(known->end);
  return parse(shorter, first_error, known->count);
}

}  // namespace brownout::events

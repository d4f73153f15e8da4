// SPDX-License-Identifier: MIT
// Structs <-> JSON by way of for_each_field(). Reading is strict: a missing key, another type or a number that does
// not fit is a problem, named by its place in the record.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "fields.hpp"

namespace brownout::events {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// ---- writing

inline OrderedJson encode(const std::string& text) { return text; }
inline OrderedJson encode(bool value) { return value; }
inline OrderedJson encode(std::integral auto value) { return value; }
template <typename T>
  requires std::is_class_v<T>
OrderedJson encode(const T& value);

template <typename T, std::size_t N>
OrderedJson encode(const T (&values)[N]) {
  auto list = OrderedJson::array();
  for (const auto& value : values) list.push_back(encode(value));
  return list;
}

template <typename T>
  requires std::is_class_v<T>
OrderedJson encode(const T& value) {
  auto object = OrderedJson::object();
  for_each_field(value, [&object](const char* name, const auto& field) { object.emplace(name, encode(field)); });
  return object;
}

// One line, line feed included. Bytes that are not UTF-8 become U+FFFD: a record is never lost for them.
inline std::string to_line(const OrderedJson& record) {
  return record.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

// ---- reading

// The first thing that is not as it should be; later ones are often its consequences.
class Problem {
 public:
  void report(std::string text) {
    if (!text_) text_ = std::move(text);
  }
  explicit operator bool() const { return text_.has_value(); }
  const std::string& text() const { return *text_; }

 private:
  std::optional<std::string> text_;
};

// The member `key` of `object`, or null with a problem.
inline const Json* member(const Json& object, const char* key, Problem& problem) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) {
    problem.report(fmt::format("'{}' is missing", key));
    return nullptr;
  }
  return &*found;
}

inline void decode(const Json& value, std::string& into, const char* name, Problem& problem) {
  if (!value.is_string()) return problem.report(fmt::format("'{}' must be a string", name));
  into = value.get<std::string>();
}

inline void decode(const Json& value, bool& into, const char* name, Problem& problem) {
  if (!value.is_boolean()) return problem.report(fmt::format("'{}' must be true or false", name));
  into = value.get<bool>();
}

template <std::integral T>
void decode(const Json& value, T& into, const char* name, Problem& problem) {
  using Limits = std::numeric_limits<T>;
  const bool fits = value.is_number_unsigned()   ? std::in_range<T>(value.get<std::uint64_t>())
                    : value.is_number_integer() ? std::in_range<T>(value.get<std::int64_t>())
                                                : false;
  if (!fits)
    return problem.report(fmt::format("'{}' must be an integer from {} to {}", name, Limits::min(), Limits::max()));
  into = value.get<T>();
}

template <typename T>
  requires std::is_class_v<T>
void decode(const Json& value, T& into, const char* name, Problem& problem);

template <typename T, std::size_t N>
void decode(const Json& value, T (&into)[N], const char* name, Problem& problem) {
  if (!value.is_array() || value.size() != N)
    return problem.report(fmt::format("'{}' must be a list of {}", name, N));
  for (std::size_t i = 0; i < N; ++i) decode(value[i], into[i], name, problem);
}

template <typename T>
  requires std::is_class_v<T>
void decode(const Json& value, T& into, const char* name, Problem& problem) {
  if (!value.is_object()) return problem.report(fmt::format("'{}' must be an object", name));
  for_each_field(into, [&](const char* key, auto& field) {
    if (const auto* found = member(value, key, problem)) decode(*found, field, key, problem);
  });
}

template <typename T>
void read(const Json& object, const char* key, T& into, Problem& problem) {
  if (const auto* found = member(object, key, problem)) decode(*found, into, key, problem);
}

}  // namespace brownout::events

// SPDX-License-Identifier: MIT
#include "cursor.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace brownout::drill {
namespace {

constexpr std::size_t kShownBytes = 80;

// Levenshtein: insertions, deletions and exchanges of one character.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, exchanged});
    }
  }
  return row.back();
}

std::optional<std::string_view> nearest(std::string_view key, Keys known) {
  if (key.size() > 64) return std::nullopt;
  const auto best = std::ranges::min_element(known, {}, [&](std::string_view k) { return edit_distance(key, k); });
  if (best == known.end() || edit_distance(key, *best) > std::max<std::size_t>(2, key.size() / 3)) return std::nullopt;
  return *best;
}

std::string join_path(std::string_view path, std::string_view key) {
  return path.empty() ? std::string{key} : fmt::format("{}.{}", path, key);
}

std::unexpected<Error> refuse_unknown(const Cursor& key, Keys known) {
  const auto suggestion = nearest(key.tree->scalar, known);
  std::string hint = suggestion ? fmt::format("did you mean `{}`? ", *suggestion) : std::string{};
  if (key.tree->scalar == "<<") hint = "merge keys are not read; repeat the keys. ";
  return key.refuse("unknown key", hint + fmt::format("known here: {}", fmt::join(known, ", ")));
}

// At most `limit` bytes, cut between characters.
std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string{text};
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80U) --limit;
  return std::string{text.substr(0, limit)} + "...";
}

}  // namespace

std::unexpected<Error> Cursor::refuse(std::string_view problem, std::string hint) const {
  const std::string key = path.empty() ? std::string{} : shortened(path, 2 * kShownBytes) + ": ";
  return refuse_at(file, tree->line, tree->column, key + std::string{problem}, std::move(hint));
}

std::unexpected<Error> Cursor::refuse_value(std::string_view expected, std::string hint) const {
  return refuse(fmt::format("{} is not {}", shown(), expected), std::move(hint));
}

std::string Cursor::shown() const {
  switch (tree->kind) {
    case Tree::Kind::kScalar: return fmt::format("'{}'", shortened(tree->scalar, kShownBytes));
    case Tree::Kind::kSequence: return "a list";
    case Tree::Kind::kMapping: return "a mapping";
    case Tree::Kind::kNull: break;
  }
  return "nothing";
}

std::vector<Cursor> Cursor::items() const {
  std::vector<Cursor> cursors;
  for (std::size_t i = 0; i < tree->items.size(); ++i)
    cursors.push_back({file, fmt::format("{}[{}]", path, i), &tree->items[i]});
  return cursors;
}

Result<Mapping> Mapping::open(const Cursor& cursor, Keys known) {
  if (cursor.tree->kind != Tree::Kind::kMapping)
    return cursor.refuse_value("a mapping", fmt::format("known keys: {}", fmt::join(known, ", ")));
  for (const Member& member : cursor.tree->members) {
    if (std::ranges::find(known, member.key.scalar) != known.end()) continue;
    return refuse_unknown({cursor.file, join_path(cursor.path, member.key.scalar), &member.key}, known);
  }
  return Mapping{cursor};
}

Cursor Mapping::child(const Member& member) const {
  return {cursor_.file, join_path(cursor_.path, member.key.scalar), &member.value};
}

std::optional<Cursor> Mapping::find(std::string_view key) const {
  for (const Member& member : cursor_.tree->members)
    if (member.key.scalar == key) return child(member);
  return std::nullopt;
}

Result<Cursor> Mapping::need(std::string_view key, std::string_view example) const {
  if (auto found = find(key)) return *std::move(found);
  return cursor_.refuse(fmt::format("`{}` is missing", key), fmt::format("write {}", example));
}

Result<Cursor> Mapping::exactly_one(Keys keys) const {
  std::optional<Cursor> only;
  for (const Member& member : cursor_.tree->members) {
    if (std::ranges::find(keys, member.key.scalar) == keys.end()) continue;
    if (only)
      return Cursor{cursor_.file, join_path(cursor_.path, member.key.scalar), &member.key}.refuse(
          "only one of these keys may stand here", fmt::format("one of: {}", fmt::join(keys, ", ")));
    only = child(member);
  }
  if (!only) return cursor_.refuse(fmt::format("one of {} is missing", fmt::join(keys, ", ")), "write one of them");
  return *std::move(only);
}

Result<std::vector<std::pair<Cursor, Cursor>>> free_members(const Cursor& cursor) {
  if (cursor.tree->kind != Tree::Kind::kMapping) return cursor.refuse_value("a mapping", "write KEY: VALUE");
  std::vector<std::pair<Cursor, Cursor>> members;
  for (const Member& member : cursor.tree->members) {
    const std::string path = join_path(cursor.path, member.key.scalar);
    members.emplace_back(Cursor{cursor.file, path, &member.key}, Cursor{cursor.file, path, &member.value});
  }
  return members;
}

Result<std::vector<Cursor>> sequence(const Cursor& cursor, std::size_t least, std::size_t most) {
  if (cursor.tree->kind != Tree::Kind::kSequence)
    return cursor.refuse_value("a list", "write [a, b] or one `- ` a line");
  const std::size_t size = cursor.tree->items.size();
  if (size < least || size > most)
    return cursor.refuse(fmt::format("the list has {} items", size), fmt::format("from {} to {} items", least, most));
  return cursor.items();
}

}  // namespace brownout::drill

// SPDX-License-Identifier: MIT
#include "tree.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "utf8.hpp"

namespace brownout::drill {
namespace {

class Converter {
 public:
  explicit Converter(std::string_view file) : file_(file) {}

  Result<Tree> convert(const YAML::Node& node, int depth) {
    Tree tree = placed(node);
    if (depth > kMaxDepth)
      return refuse(tree, "the file is nested too deeply", fmt::format("at most {} levels", kMaxDepth));
    if (++nodes_ > kMaxNodes)
      return refuse(tree, "the file holds too many values",
                    fmt::format("at most {} values, each alias counted in full", kMaxNodes));
    if (auto tag = check_tag(node, tree); !tag) return std::unexpected(std::move(tag).error());
    switch (node.Type()) {
      case YAML::NodeType::Scalar: return scalar(node, std::move(tree));
      case YAML::NodeType::Sequence: return sequence(node, std::move(tree), depth);
      case YAML::NodeType::Map: return mapping(node, std::move(tree), depth);
      default: return tree;
    }
  }

 private:
  static Tree placed(const YAML::Node& node) {
    Tree tree;
    const YAML::Mark mark = node.Mark();
    if (!mark.is_null()) {
      tree.line = mark.line + 1;
      tree.column = mark.column + 1;
    }
    return tree;
  }

  std::unexpected<Error> refuse(const Tree& tree, std::string_view problem, std::string hint) const {
    return refuse_at(file_, tree.line, tree.column, problem, std::move(hint));
  }

  Result<> check_tag(const YAML::Node& node, const Tree& tree) const {
    const std::string& tag = node.Tag();
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return {};
    return refuse(tree, fmt::format("the tag '{}' is not read", tag), "write the plain value");
  }

  static Tree scalar(const YAML::Node& node, Tree tree) {
    tree.kind = Tree::Kind::kScalar;
    tree.scalar = node.Scalar();
    tree.quoted = node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
    return tree;
  }

  Result<Tree> sequence(const YAML::Node& node, Tree tree, int depth) {
    tree.kind = Tree::Kind::kSequence;
    for (const auto& item : node) {
      BROWNOUT_ASSIGN(Tree converted, convert(item, depth + 1));
      tree.items.push_back(std::move(converted));
    }
    return tree;
  }

  Result<Tree> mapping(const YAML::Node& node, Tree tree, int depth) {
    tree.kind = Tree::Kind::kMapping;
    for (const auto& pair : node) {
      BROWNOUT_ASSIGN(Tree key, convert(pair.first, depth + 1));
      if (key.kind != Tree::Kind::kScalar) return refuse(key, "a key is not plain text", "write KEY: VALUE");
      const auto earlier = std::ranges::find(tree.members, key.scalar, [](const Member& m) { return m.key.scalar; });
      if (earlier != tree.members.end())
        return refuse(key, fmt::format("{}: the key stands twice in one mapping", key.scalar),
                      fmt::format("it stands in line {} too; keep one of them", earlier->key.line));
      BROWNOUT_ASSIGN(Tree value, convert(pair.second, depth + 1));
      if (value.kind == Tree::Kind::kNull) { // yaml-cpp places what is absent at the token that comes next
        value.line = key.line;
        value.column = key.column;
      }
      tree.members.push_back({std::move(key), std::move(value)});
    }
    return tree;
  }

  std::string_view file_;
  int nodes_ = 0;
};

Result<> check_bytes(std::string_view text, std::string_view file) {
  if (text.size() > kMaxFileBytes)
    return refuse_at(file, 1, 1, fmt::format("the file has {} bytes", text.size()),
                     fmt::format("at most {} bytes", kMaxFileBytes));
  const auto bad = first_bad_byte(text);
  if (!bad) return {};
  const std::string_view before = text.substr(0, *bad);
  const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return refuse_at(file, 1 + static_cast<int>(std::ranges::count(before, '\n')),
                   1 + static_cast<int>(*bad - line_start),
                   fmt::format("the byte 0x{:02x} is not UTF-8 text", static_cast<unsigned char>(text[*bad])),
                   "save the file as UTF-8 without control characters");
}

constexpr const char* kNotYamlHint = "check brackets, quotes and indentation (blanks, never tabs) around this place";

std::string readable(const std::string& message) { return "not YAML: " + message; }

// Where documents begin. Not YAML::LoadAll: a closing bracket too many is an endless row of documents to it.
class DocumentStarts final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
  YAML::Mark last;
};

// Of the second document, if there is one. Throws what yaml-cpp throws.
std::optional<YAML::Mark> second_document(const std::string& text) {
  std::istringstream stream{text};
  YAML::Parser parser{stream};
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
  return starts.last;
}

Result<YAML::Node> load_one(std::string_view text, std::string_view file) {
  try {
    YAML::Node document = YAML::Load(std::string{text});
    if (!document.IsDefined() || document.IsNull())
      return refuse_at(file, 1, 1, "the file is empty", "a drill starts with `brownout: 1`; see docs/drill.md");
    if (const auto second = second_document(std::string{text}))
      return refuse_at(file, std::max(second->line, 0) + 1, std::max(second->column, 0) + 1,
                       "something follows the end of the drill",
                       "one drill a file: remove what starts here, a second document or a bracket too many");
    return document;
  } catch (const YAML::Exception& error) {
    return refuse_at(file, std::max(error.mark.line, 0) + 1, std::max(error.mark.column, 0) + 1, readable(error.msg),
                     kNotYamlHint);
  } catch (const std::exception& error) {
    return refuse_at(file, 1, 1, readable(error.what()), kNotYamlHint);
  }
}

}  // namespace

std::unexpected<Error> refuse_at(std::string_view file, int line, int column, std::string_view problem,
                                 std::string hint) {
  return fail(ErrorCode::kInvalidDrill, fmt::format("{}:{}:{}: {}", file, line, column, problem), std::move(hint));
}

Result<Tree> read_tree(std::string_view text, std::string_view file) {
  BROWNOUT_TRY(check_bytes(text, file));
  BROWNOUT_ASSIGN(const YAML::Node document, load_one(text, file));
  try {
    BROWNOUT_ASSIGN(Tree tree, Converter{file}.convert(document, 0));
    if (tree.kind != Tree::Kind::kMapping)
      return refuse_at(file, tree.line, tree.column, "the file is not a mapping of KEY: VALUE",
                       "a drill starts with `brownout: 1`; see docs/drill.md");
    return tree;
  } catch (const std::exception& error) {
    return refuse_at(file, 1, 1, readable(error.what()), kNotYamlHint);
  }
}

}  // namespace brownout::drill

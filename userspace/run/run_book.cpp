// SPDX-License-Identifier: MIT
#include "run_book.hpp"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/json_fields.hpp"

namespace brownout::run {
namespace {

using nlohmann::json;

constexpr std::size_t kMostProblems = 10;

class Reader {
 public:
  void take(std::string_view text) {
    const auto line = json::parse(text, nullptr, false);
    if (!line.is_object()) {
      report("is torn or damaged");
    } else {
      if (text_at(line, "/previous") != book_.head || count_at(line, "/line") != book_.lines)
        report("does not follow the line before: one was changed, taken out or put in");
      take_record(line, sha256(text));
    }
    book_.head = sha256(text);
    if (book_.lines++ == 0) book_.log = book_.head;
  }
  RunBook finish(bool torn) {
    book_.torn = torn;
    if (not_listed_ > 0) book_.problems.push_back(fmt::format("and {} more", not_listed_));
    return std::move(book_);
  }

 private:
  void report(std::string_view what) {
    if (book_.problems.size() == kMostProblems) return static_cast<void>(++not_listed_);
    book_.problems.push_back(fmt::format("line {} {}", book_.lines, what));
  }

  void take_record(const json& line, std::string digest) {
    const auto kind = text_at(line, "/kind");
    if (kind == "start") {
      LoggedRun run{std::move(digest), text_at(line, "/target"), text_at(line, "/container_id"),
                    count_at(line, "/number"), line, nullptr};
      if (const auto* before = book_.last_of(run.target); run.number != (before != nullptr ? before->number : 0) + 1)
        report(fmt::format("is run {}, which is not the next of its target", run.number));
      book_.runs.push_back(std::move(run));
    } else if (kind == "end") {
      const auto begun = text_at(line, "/start_sha256");
      auto backwards = std::views::reverse(book_.runs);
      const auto run = std::ranges::find(backwards, begun, &LoggedRun::line_sha256);
      if (run == backwards.end()) return report("is the end of a run that never began");
      // One that could not be sealed may be, later.
      if (run->ended.is_object() && run->ended.value("archive_sha256", json()).is_string())
        report(fmt::format("is of run {}, which had been sealed before", run->number));
      run->ended = line;
    }
  }

  RunBook book_;
  std::size_t not_listed_ = 0;
};

}  // namespace

const LoggedRun* RunBook::last_of(const std::string& target) const {
  const auto backwards = std::views::reverse(runs);
  const auto found = std::ranges::find(backwards, target, &LoggedRun::target);
  return found == backwards.end() ? nullptr : &*found;
}

const LoggedRun* RunBook::begun_by(const std::string& line_sha256) const {
  const auto backwards = std::views::reverse(runs);
  const auto found = std::ranges::find(backwards, line_sha256, &LoggedRun::line_sha256);
  return found == backwards.end() ? nullptr : &*found;
}

std::string RunBook::known_as(const std::string& target, const std::string& container_id) const {
  if (container_id.empty()) return target;
  const auto found = std::ranges::find(runs, container_id, &LoggedRun::container_id);
  return found == runs.end() ? target : found->target;
}

RunBook read_run_book(std::string_view text) {
  Reader reader;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      // As it will be when the next writer has ended it.
      reader.take(std::string{text} + "\n");
      return reader.finish(true);
    }
    reader.take(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return reader.finish(false);
}

}  // namespace brownout::run

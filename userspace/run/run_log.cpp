// SPDX-License-Identifier: MIT
#include "run_log.hpp"

#include <cerrno>
#include <random>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/capabilities.hpp"
#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "run_book.hpp"

namespace brownout::run {
namespace {

using nlohmann::json;
using Line = nlohmann::ordered_json;

// A hundred thousand runs.
constexpr std::size_t kLargestLog = std::size_t{128} << 20;

// While it lives nobody else reads or adds.
class Locked {
 public:
  static Result<Locked> take(const UniqueFd& file, const std::filesystem::path& path) {
    while (::flock(file.get(), LOCK_EX) != 0)
      if (errno != EINTR) return fail_errno(ErrorCode::kIo, "lock the run log " + path.string());
    return Locked{file.get()};
  }
  Locked(Locked&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Locked& operator=(Locked&&) = delete;
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() {
    if (fd_ >= 0) ::flock(fd_, LOCK_UN);
  }

 private:
  explicit Locked(int fd) : fd_(fd) {}
  int fd_;
};

// Anybody else who can write there could have left out what he likes.
Result<> refuse_open_to_others(int fd, const std::filesystem::path& path, mode_t type) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail_errno(ErrorCode::kIo, "look at " + path.string());
  if ((status.st_mode & S_IFMT) == type && status.st_uid == ::geteuid() &&
      (status.st_mode & (S_IRWXG | S_IRWXO)) == 0 && (type == S_IFDIR || status.st_nlink == 1))
    return {};
  return fail(ErrorCode::kRefused, fmt::format("{} is not its owner's alone", path.string()),
              "The directory is 0700, the log 0600 and of one name, both of the user who runs the drill.");
}

Result<UniqueFd> open_directory(const std::filesystem::path& directory, bool make) {
  if (make && ::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(ErrorCode::kIo, "make " + directory.string());
  BROWNOUT_ASSIGN(UniqueFd fd, open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  BROWNOUT_TRY(refuse_open_to_others(fd.get(), directory, S_IFDIR));
  return fd;
}

Result<std::string> read_all(const UniqueFd& file, const std::filesystem::path& path) {
  std::string text;
  std::string buffer(std::size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(ErrorCode::kIo, "read the run log " + path.string());
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestLog)
      return fail(ErrorCode::kFormat, fmt::format("{} is longer than {} bytes", path.string(), kLargestLog),
                  "Keep it elsewhere, for the bundles that name it, and let a new one begin.");
  }
}

// Only root can ask for it, and not of every file system.
void ask_for_append_only(int fd) {
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || (flags & FS_APPEND_FL) != 0) return;
  flags |= FS_APPEND_FL;
  static_cast<void>(::ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

bool is_append_only(int fd) {
  int flags = 0;
  return ::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_APPEND_FL) != 0;
}

std::string drawn_id() {
  std::random_device device;
  std::string id;
  for (int word = 0; word < 4; ++word) id += fmt::format("{:08x}", device());
  return id;
}

std::string hostname() {
  utsname names{};
  ::uname(&names);
  return names.nodename;
}

// The first line: no two logs have the same.
Line heading() { return {{"kind", "log"}, {"host", hostname()}, {"id", drawn_id()}}; }

json describe_end(const json& ended) {
  if (ended.is_null()) return nullptr;
  json described;
  for (const char* key : {"utc", "run_id", "verdict", "archive", "archive_sha256", "unsealed"})
    described[key] = ended.value(key, json());
  return described;
}

json describe_before(const LoggedRun* before) {
  if (before == nullptr) return nullptr;
  return {{"number", before->number},
          {"line_sha256", before->line_sha256},
          {"started_utc", before->started.value("utc", json())},
          {"plan_sha256", before->started.value("plan_sha256", json())},
          {"ended", describe_end(before->ended)}};
}

Line or_null(const std::string& text) { return text.empty() ? Line() : Line(text); }

std::string spelled(const Line& line) {
  return line.dump(-1, ' ', false, Line::error_handler_t::replace) + "\n";
}

}  // namespace

std::string target_of_log(const target::Target& target) {
  return target.runtime == "pid" ? target.name : fmt::format("{} {}", target.runtime, target.name);
}

Result<RunLog> RunLog::open(const std::filesystem::path& directory) { return open(directory, true); }
Result<RunLog> RunLog::open_existing(const std::filesystem::path& directory) { return open(directory, false); }

Result<RunLog> RunLog::open(const std::filesystem::path& directory, bool make) {
  const auto path = directory / kRunLogFile;
  UniqueFd file;
  {
    // By its own right: a file that an ordinary user makes with brownout's power would stand where root's belongs.
    const Unprivileged ourselves;
    BROWNOUT_ASSIGN(const UniqueFd within, open_directory(directory, make));
    const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (make ? O_CREAT : 0);
    file = UniqueFd{::openat(within.get(), kRunLogFile, flags, 0600)};
    if (!file) return fail_errno(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "open " + path.string());
    BROWNOUT_TRY(refuse_open_to_others(file.get(), path, S_IFREG));
    if (make) BROWNOUT_TRY(sync_directory(directory));
  }
  if (make) ask_for_append_only(file.get());
  return RunLog{path, std::move(file)};
}

Result<> RunLog::append(Line line, const std::string& previous) const {
  line["previous"] = previous;
  // One write: a reader without the lock sees a whole line or none.
  if (auto written = write_all(file_.get(), spelled(line)); !written)
    return std::unexpected(std::move(written).error().with_context(path_.string()));
  if (::fsync(file_.get()) != 0) return fail_errno(ErrorCode::kIo, "sync the run log " + path_.string());
  return {};
}

Result<json> RunLog::begin(const RunBegun& run) const {
  BROWNOUT_ASSIGN(const auto locked, Locked::take(file_, path_));
  BROWNOUT_ASSIGN(auto text, read_all(file_, path_));
  const auto add = [&](const Line& what) -> Result<> {
    const auto book = read_run_book(text);
    Line line{{"line", book.lines}, {"utc", format_utc(realtime_ns())}};
    line.update(what);
    BROWNOUT_TRY(append(std::move(line), book.head));
    BROWNOUT_ASSIGN(text, read_all(file_, path_));
    return {};
  };
  if (text.empty()) BROWNOUT_TRY(add(heading()));
  if (!text.ends_with('\n')) {
    BROWNOUT_TRY(write_all(file_.get(), "\n"));
    text += '\n';
  }
  const auto book = read_run_book(text);
  const auto target = book.known_as(run.target, run.container_id);
  const auto* before = book.last_of(target);
  const auto number = before != nullptr ? before->number + 1 : 1;
  BROWNOUT_TRY(add({{"kind", "start"},
                    {"target", target},
                    {"number", number},
                    {"container_id", run.container_id},
                    {"drill", run.drill},
                    {"drill_sha256", run.drill_sha256},
                    {"plan_sha256", run.plan_sha256},
                    {"pid", ::getpid()},
                    {"uid", ::getuid()}}));
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return fail_errno(ErrorCode::kIo, "look at " + path_.string());
  return json{{"log", book.log},
              {"append_only", is_append_only(file_.get())},
              {"owner_uid", status.st_uid},
              {"target", target},
              {"number", number},
              {"of_host", book.runs.size() + 1},
              {"line_sha256", read_run_book(text).head},
              {"previous", describe_before(before)},
              {"problems", book.problems}};
}

Result<> RunLog::end(const std::string& line_sha256, const RunEnded& how) const {
  BROWNOUT_ASSIGN(const auto locked, Locked::take(file_, path_));
  BROWNOUT_ASSIGN(auto text, read_all(file_, path_));
  if (!text.empty() && !text.ends_with('\n')) {
    BROWNOUT_TRY(write_all(file_.get(), "\n"));
    text += '\n';
  }
  const auto book = read_run_book(text);
  const auto* run = book.begun_by(line_sha256);
  if (run == nullptr)
    return fail(ErrorCode::kNotFound, fmt::format("{} has no run that began with line {}", path_.string(), line_sha256),
                "It is another log than the one in which the drill was numbered, or somebody changed it.");
  return append({{"line", book.lines},
                 {"utc", format_utc(realtime_ns())},
                 {"kind", "end"},
                 {"target", run->target},
                 {"number", run->number},
                 {"start_sha256", line_sha256},
                 {"run_id", or_null(how.run_id)},
                 {"verdict", or_null(how.verdict)},
                 {"archive", or_null(how.archive)},
                 {"archive_sha256", or_null(how.archive_sha256)},
                 {"unsealed", or_null(how.unsealed)}},
                book.head);
}

Result<> log_sealed(const RunLog& log, const std::string& line_sha256, const Outcome& outcome) {
  return log.end(line_sha256, {.run_id = outcome.run_id,
                               .verdict = std::string{verdict::name(outcome.verdict.outcome)},
                               .archive = outcome.sealed.archive.filename().string(),
                               .archive_sha256 = outcome.sealed.sha256});
}

json describe_run_log(const std::filesystem::path& path, const Result<json>& run) {
  return {{"path", path.string()},
          {"unavailable", run ? json() : json(run.error().render())},
          {"run", run ? *run : json()}};
}

}  // namespace brownout::run

// SPDX-License-Identifier: MIT
// Errors are values: every function that can fail returns Result<T>.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brownout {

enum class ErrorCode : std::uint8_t {
  kUsage,        // the command line
  kInvalidDrill, // the drill file: nothing was attached
  kNotFound,     // target, file, run directory
  kAmbiguous,    // more than one target matches
  kRefused,      // we decline: unsafe, or confirmation is missing
  kUnsupported,  // this kernel or machine lacks something
  kPermission,
  kKernel,       // a system call, libbpf or netlink said no
  kIo,
  kFormat,       // a file is not what it should be
  kInterrupted,
};

std::string_view name(ErrorCode code);

// For a person at 3 a.m.: `what` failed (and on what), `errno_value` why the kernel said no, `context` the way there
// (innermost first), `hint` what to do.
struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::string what;
  int errno_value = 0;
  std::vector<std::string> context;
  std::string hint;

  Error&& with_context(std::string text) &&;
  Error&& with_hint(std::string text) &&;
  // "what: strerror (context; context). hint"
  std::string render() const;
};

template <typename T = void>
using Result = std::expected<T, Error>;

std::unexpected<Error> fail(ErrorCode code, std::string what, std::string hint = {});
// With errno as it is now, or as given.
std::unexpected<Error> fail_errno(ErrorCode code, std::string what, std::string hint = {});
std::unexpected<Error> fail_errno(ErrorCode code, int errno_value, std::string what, std::string hint = {});

}  // namespace brownout

// Statement forms of "return the error, or go on".
#define BROWNOUT_CONCAT_(a, b) a##b
#define BROWNOUT_CONCAT(a, b) BROWNOUT_CONCAT_(a, b)
#define BROWNOUT_TRY(expression)                                  \
  do {                                                            \
    if (auto brownout_try = (expression); !brownout_try)          \
      return std::unexpected(std::move(brownout_try).error());    \
  } while (false)
#define BROWNOUT_ASSIGN(declaration, expression) \
  BROWNOUT_ASSIGN_(BROWNOUT_CONCAT(brownout_assign_, __LINE__), declaration, expression)
#define BROWNOUT_ASSIGN_(temporary, declaration, expression)              \
  auto temporary = (expression);                                          \
  if (!temporary) return std::unexpected(std::move(temporary).error());   \
  declaration = std::move(*temporary)

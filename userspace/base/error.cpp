// SPDX-License-Identifier: MIT
#include "brownout/error.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/text.hpp"

namespace brownout {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kInvalidDrill: return "invalid_drill";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kAmbiguous: return "ambiguous";
    case ErrorCode::kRefused: return "refused";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kPermission: return "permission";
    case ErrorCode::kKernel: return "kernel";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kFormat: return "format";
    case ErrorCode::kInterrupted: return "interrupted";
  }
  return "unknown";
}

Error&& Error::with_context(std::string text) && {
  context.push_back(std::move(text));
  return std::move(*this);
}

Error&& Error::with_hint(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

std::string Error::render() const {
  std::string text = visible(what);
  if (errno_value != 0) text += ": " + std::generic_category().message(errno_value);
  if (!context.empty()) text += visible_lines(fmt::format(" ({})", fmt::join(context, "; ")));
  if (!hint.empty()) text += "\n  " + visible_lines(hint);
  return text;
}

std::unexpected<Error> fail(ErrorCode code, std::string what, std::string hint) {
  return std::unexpected(Error{.code = code, .what = std::move(what), .hint = std::move(hint)});
}

std::unexpected<Error> fail_errno(ErrorCode code, std::string what, std::string hint) {
  return fail_errno(code, errno, std::move(what), std::move(hint));
}

std::unexpected<Error> fail_errno(ErrorCode code, int errno_value, std::string what, std::string hint) {
  return std::unexpected(
      Error{.code = code, .what = std::move(what), .errno_value = errno_value, .hint = std::move(hint)});
}

}  // namespace brownout

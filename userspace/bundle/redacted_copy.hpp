// SPDX-License-Identifier: MIT
// A file on its way into the bundle: what the rules take out is taken out, piece by piece, cut at the ends of lines.
#pragma once

#include <string>
#include <string_view>

#include "brownout/digest.hpp"
#include "brownout/redact.hpp"
#include "run_directory_copy.hpp"

namespace brownout::bundle {

class RedactedCopy {
 public:
  // `fd` is where it is written to, and stays the caller's.
  RedactedCopy(const Redactor& redactor, int fd) : redactor_(redactor), fd_(fd) {}
  Result<> add(std::string_view bytes);
  struct Done { Member member; CopyRedaction redaction; };
  Result<Done> finish();
  // Not empty: it is no text, or has a line that is too long, and what was written is not to be used.
  const std::string& why_not() const { return why_not_; }

 private:
  Result<> write(std::string_view piece);

  const Redactor& redactor_;
  int fd_;
  Sha256 original_, digest_;
  std::string waiting_; // not written yet
  std::string why_not_;
  Done done_;
};

}  // namespace brownout::bundle

// SPDX-License-Identifier: MIT
// When a bundle was there: a time-stamp authority's answer (RFC 3161) about the list of its digests, as openssl checks it.
#pragma once

#include <filesystem>
#include <string>

#include "brownout/error.hpp"

namespace brownout::bundle {

class TimestampAuthority {
 public:
  // Asks it once on trial, through the host's curl, so that one that does not answer is known before anything is attached.
  static Result<TimestampAuthority> open(const std::string& url);

  const std::string& url() const { return url_; }
  // The answer, DER, of which all but who signed it was held against the question.
  Result<std::string> stamp(const std::string& sha256) const;

 private:
  TimestampAuthority(std::filesystem::path curl, std::string url) : curl_(std::move(curl)), url_(std::move(url)) {}
  std::filesystem::path curl_;
  std::string url_;
};

}  // namespace brownout::bundle

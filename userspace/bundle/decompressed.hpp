// SPDX-License-Identifier: MIT
// The bytes of a gzip file, piece by piece, and nothing beside them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "brownout/error.hpp"

struct archive;

namespace brownout::bundle {

class Decompressed {
 public:
  Decompressed();
  // `fd`: a regular file, from its beginning.
  Result<> open(int fd);
  // The next piece, good until the next call; empty at the end. kFormat for what is no gzip file, or too much of it.
  Result<std::string_view> next();
  // After `used` bytes of all that was handed out: whether there is anything but zeros, which is how tar ends. Two readers
  // need not agree on what stands behind the end of an archive.
  Result<bool> only_zeros_after(std::uint64_t used);

 private:
  struct Free { void operator()(archive* reader) const; };
  Result<> reason() const;

  std::unique_ptr<archive, Free> reader_;
  std::string_view last_;
  std::uint64_t handed_out_ = 0, file_size_ = 0;
};

}  // namespace brownout::bundle

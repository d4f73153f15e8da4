// SPDX-License-Identifier: MIT
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <fmt/format.h>

#include "../../../userspace/bundle/extract.hpp"
#include "../../../userspace/bundle/layout.hpp"
#include "../../../userspace/bundle/private_directory.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "targets.hpp"

namespace brownout::fuzz {
namespace {

// Not compressed: the fuzzer sees in the archive what it changed, and zlib is not what is tried here.
std::string gzipped(std::string_view text) {
  z_stream stream{};
  require(deflateInit2(&stream, 0, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// What is beneath the directory is what is told, and nothing else is anywhere.
void require_members(const std::filesystem::path& into, const bundle::Extraction& extraction) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{into}) {
    require(!entry.is_symlink(), "a link was made");
    if (entry.is_directory()) continue;
    require(entry.is_regular_file(), "neither a file nor a directory was made");
    ++files;
  }
  require(files == extraction.members.size(), "other files than told");
  for (const auto& [path, member] : extraction.members) {
    require(bundle::is_safe(path), "an unsafe path: " + path);
    const auto text = read_file(into / extraction.top / path);
    require(text && text->size() == member.size && sha256(*text) == member.sha256, "another content: " + path);
  }
}

}  // namespace

bool bundle(std::string_view text) {
  static const auto place = bundle::PrivateDirectory::make();
  static int number = 0;
  require(place.has_value(), "no directory");
  const UniqueFd file{::memfd_create("bundle", MFD_CLOEXEC)};
  require(write_all(file.get(), gzipped(text)).has_value(), "no memory");
  const auto into = place->path() / std::to_string(++number);
  std::filesystem::create_directory(into);
  const auto extraction = bundle::extract(fmt::format("/proc/self/fd/{}", file.get()), into);
  require(extraction || !extraction.error().what.empty(), "refused without a reason");
  const bool whole = extraction && extraction->problems.empty();
  if (whole) require_members(into, *extraction);
  std::filesystem::remove_all(into);
  return whole;
}

}  // namespace brownout::fuzz

// SPDX-License-Identifier: MIT
// What libbpf complains of ends up in an error: the part of it that says why.
#include <cstdarg>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/bpf_objects.hpp"

namespace kernel_libbpf_warnings_test {

using namespace brownout;

namespace {

// As libbpf itself calls it.
void complain(const char* format, ...) {
  const auto print = libbpf_set_print(nullptr);
  libbpf_set_print(print);
  va_list arguments;
  va_start(arguments, format);
  print(LIBBPF_WARN, format, arguments);
  va_end(arguments);
}

}  // namespace

TEST_CASE("of a long complaint of libbpf the end is kept: a verifier's log has the reason there") {
  kernel::quiet_libbpf();
  static_cast<void>(kernel::last_libbpf_warnings());
  const std::string log = std::string(100'000, '.') + "R2 type=scalar expected=sock_common";
  complain("prog '%s': %s\n", "trace_ingress", log.c_str());
  const auto kept = kernel::last_libbpf_warnings();
  CHECK(kept.ends_with("R2 type=scalar expected=sock_common"));
  CHECK(kept.size() < 4096);
  complain("%s\n", "short");
  CHECK(kernel::last_libbpf_warnings() == "short");
}

}  // namespace kernel_libbpf_warnings_test

// SPDX-License-Identifier: MIT
#pragma once

#include <locale.h>

namespace brownout::bundle {

// libarchive converts names by way of the thread's locale, and fails (or crashes) on what is not ASCII in the "C"
// locale of a program that never set another. For this thread, as long as the object lives; the process keeps its own.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) previous_ = ::uselocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    ::uselocale(previous_);
    ::freelocale(locale_);
  }
  // Without it (a system that lacks C.UTF-8) only ASCII names are safe.
  bool usable() const { return locale_ != nullptr; }

 private:
  locale_t locale_;
  locale_t previous_ = nullptr;
};

}  // namespace brownout::bundle

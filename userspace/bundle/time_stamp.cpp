// SPDX-License-Identifier: MIT
#include "time_stamp.hpp"

#include <array>
#include <cctype>
#include <cstdio>
#include <memory>
#include <random>

#include <fcntl.h>

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "brownout/fd.hpp"
#include "brownout/text.hpp"

namespace brownout::bundle {
namespace {

template <auto free_it>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    free_it(object);
  }
};
template <typename Object, auto free_it>
using Owned = std::unique_ptr<Object, Free<free_it>>;
using Query = Owned<TS_REQ, TS_REQ_free>;
using Answer = Owned<TS_RESP, TS_RESP_free>;
using Context = Owned<TS_VERIFY_CTX, TS_VERIFY_CTX_free>;
using Number = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Imprint = Owned<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using Algorithm = Owned<X509_ALGOR, X509_ALGOR_free>;
using Store = Owned<X509_STORE, X509_STORE_free>;
using Bio = Owned<BIO, BIO_free>;

std::string openssl_reason() {
  std::string reason = "OpenSSL gives no reason";
  if (const auto code = ERR_peek_last_error(); code != 0) {
    if (const char* text = ERR_reason_error_string(code)) reason = text;
    const char* data = nullptr;
    int flags = 0;
    if (ERR_peek_last_error_data(&data, &flags) != 0 && data != nullptr && (flags & ERR_TXT_STRING) != 0 && *data != '\0')
      reason += fmt::format(" ({})", visible(data));
  }
  ERR_clear_error();
  return reason;
}

std::unexpected<Error> no_memory() { return fail(ErrorCode::kIo, "OpenSSL: " + openssl_reason()); }

void without_modules() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

Result<Answer> parse_answer(std::string_view der) {
  without_modules();
  ERR_clear_error();
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  if (der.size() > kLargestTimeStamp)
    return fail(ErrorCode::kRefused, fmt::format("a time stamp of {} bytes is none", der.size()));
  Answer answer{d2i_TS_RESP(nullptr, &at, static_cast<long>(der.size()))};
  if (!answer || at != end) return fail(ErrorCode::kRefused, "this is no time stamp: " + openssl_reason());
  return answer;
}

// Why an authority said no, in its own words.
std::string refusal_of(const TS_STATUS_INFO* status) {
  std::string text = fmt::format("status {}", ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status)));
  const auto* words = TS_STATUS_INFO_get0_text(status);
  for (int i = 0; words != nullptr && i < sk_ASN1_UTF8STRING_num(words) && i < 5; ++i) {
    const auto* word = sk_ASN1_UTF8STRING_value(words, i);
    text += ": " + visible({reinterpret_cast<const char*>(ASN1_STRING_get0_data(word)),
                            static_cast<std::size_t>(ASN1_STRING_length(word))});
  }
  return text;
}

Result<TS_TST_INFO*> granted(TS_RESP* answer) {
  auto* status = TS_RESP_get_status_info(answer);
  const auto number = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
  auto* info = TS_RESP_get_tst_info(answer);
  if ((number == TS_STATUS_GRANTED || number == TS_STATUS_GRANTED_WITH_MODS) && info != nullptr) return info;
  return fail(ErrorCode::kRefused, "the authority granted no time stamp: " + refusal_of(status));
}

Result<> is_of(TS_TST_INFO* info, const std::string& sha256) {
  auto* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const auto* digest = TS_MSG_IMPRINT_get_msg(imprint);
  const std::string_view stamped{reinterpret_cast<const char*>(ASN1_STRING_get0_data(digest)),
                                 static_cast<std::size_t>(ASN1_STRING_length(digest))};
  if (OBJ_obj2nid(algorithm) == NID_sha256 && stamped == bytes_of(sha256)) return {};
  return fail(ErrorCode::kRefused, "the time stamp is of other bytes");
}

// "20260102030405Z", and with a fraction: as the authority wrote it, in our spelling.
Result<std::string> time_of(const TS_TST_INFO* info) {
  const auto* time = TS_TST_INFO_get_time(info);
  const std::string text{reinterpret_cast<const char*>(ASN1_STRING_get0_data(time)),
                         static_cast<std::size_t>(ASN1_STRING_length(time))};
  if (ASN1_GENERALIZEDTIME_check(time) != 1 || text.size() < 15 || !text.ends_with('Z'))
    return fail(ErrorCode::kRefused, "the time stamp has no time");
  return fmt::format("{}-{}-{}T{}:{}:{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2), text.substr(8, 2),
                     text.substr(10, 2), text.substr(12));
}

std::string subject_of(TS_RESP* answer) {
  auto* signers = PKCS7_get0_signers(TS_RESP_get_token(answer), nullptr, 0);
  std::string subject = "an authority without a name";
  if (signers != nullptr && sk_X509_num(signers) > 0) {
    const Bio text{BIO_new(BIO_s_mem())};
    char* at = nullptr;
    if (text && X509_NAME_print_ex(text.get(), X509_get_subject_name(sk_X509_value(signers, 0)), 0,
                                   XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
      if (const auto length = BIO_get_mem_data(text.get(), &at); length > 0)
        subject = visible({at, static_cast<std::size_t>(length)});
  }
  sk_X509_free(signers);
  ERR_clear_error();
  return subject;
}

Result<> is_signed_by(TS_RESP* answer, const std::filesystem::path& ca) {
  BROWNOUT_TRY(open_file(ca, O_RDONLY));
  Store store{X509_STORE_new()};
  if (!store) return no_memory();
  if (X509_STORE_load_file(store.get(), ca.c_str()) != 1)
    return fail(ErrorCode::kUsage, fmt::format("{} has no certificates: {}", ca.string(), openssl_reason()),
                "It is a file of certificates in PEM: those of the authority's root.");
  const Context context{TS_VERIFY_CTX_new()};
  if (!context) return no_memory();
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_SIGNER | TS_VFY_SIGNATURE);
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
  TS_VERIFY_CTX_set0_store(context.get(), store.release());
#else
  TS_VERIFY_CTX_set_store(context.get(), store.release());
#endif
  if (TS_RESP_verify_response(context.get(), answer) == 1) return {};
  return fail(ErrorCode::kRefused, fmt::format("the time stamp is by nobody of {}: {}", ca.string(), openssl_reason()));
}

}  // namespace

Result<std::string> time_stamp_query(const std::string& sha256) {
  without_modules();
  const auto digest = bytes_of(sha256);
  const Query query{TS_REQ_new()};
  const Imprint imprint{TS_MSG_IMPRINT_new()};
  const Algorithm algorithm{X509_ALGOR_new()};
  const Number nonce{ASN1_INTEGER_new()};
  if (!query || !imprint || !algorithm || !nonce) return no_memory();
  std::random_device device;
  const auto number = (std::uint64_t{device()} << 32) | device();
  auto* raw = reinterpret_cast<unsigned char*>(const_cast<char*>(digest.data()));
  if (X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) != 1 ||
      TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) != 1 ||
      TS_MSG_IMPRINT_set_msg(imprint.get(), raw, static_cast<int>(digest.size())) != 1 ||
      TS_REQ_set_version(query.get(), 1) != 1 || TS_REQ_set_msg_imprint(query.get(), imprint.get()) != 1 ||
      ASN1_INTEGER_set_uint64(nonce.get(), number) != 1 || TS_REQ_set_nonce(query.get(), nonce.get()) != 1 ||
      TS_REQ_set_cert_req(query.get(), 1) != 1)
    return no_memory();
  unsigned char* der = nullptr;
  const int length = i2d_TS_REQ(query.get(), &der);
  if (length <= 0) return no_memory();
  std::string text{reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)};
  OPENSSL_free(der);
  return text;
}

Result<TimeStamp> read_time_stamp(std::string_view answer, const std::string& sha256, const std::filesystem::path& ca) {
  BROWNOUT_ASSIGN(const auto parsed, parse_answer(answer));
  BROWNOUT_ASSIGN(auto* info, granted(parsed.get()));
  BROWNOUT_TRY(is_of(info, sha256));
  TimeStamp stamp;
  BROWNOUT_ASSIGN(stamp.utc, time_of(info));
  if (ca.empty()) return stamp;
  BROWNOUT_TRY(is_signed_by(parsed.get(), ca));
  stamp.authority = subject_of(parsed.get());
  return stamp;
}

Result<> answers(std::string_view answer, std::string_view query) {
  BROWNOUT_ASSIGN(const auto parsed, parse_answer(answer));
  BROWNOUT_TRY(granted(parsed.get()));
  const auto* at = reinterpret_cast<const unsigned char*>(query.data());
  const Query asked{d2i_TS_REQ(nullptr, &at, static_cast<long>(query.size()))};
  if (!asked) return no_memory();
  const Context context{TS_REQ_to_TS_VERIFY_CTX(asked.get(), nullptr)};
  if (!context) return no_memory();
  // Who signed it is for those to say who verify.
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_NONCE);
  if (TS_RESP_verify_response(context.get(), parsed.get()) == 1) return {};
  return fail(ErrorCode::kRefused, "it is not the answer to what was asked: " + openssl_reason());
}

}  // namespace brownout::bundle

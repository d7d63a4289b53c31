#include "net/openssl.hpp"

#include <openssl/err.h>

#include <climits>
#include <stdexcept>

namespace raftlab::net {
namespace {

/// The last error says that the text was at its end, and not that something in it was broken.
bool at_end_of_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int no_password(char*, int, int, void*) { return -1; }

}  // namespace

BioPointer reader_of(std::string_view text) {
  require(text.size() <= INT_MAX, "reading a text of more than 2 GiB");
  BioPointer bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  require(bio != nullptr, "reading a text");
  return bio;
}

std::string written_to(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string take_openssl_errors() {
  std::string all;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!all.empty()) all += ", ";
    all += reason == nullptr ? "unknown error" : reason;
  }
  return all.empty() ? "no reason given" : all;
}

std::vector<CertificatePointer> certificates_of(std::string_view pem) {
  ERR_clear_error();
  const BioPointer bio = reader_of(pem);
  std::vector<CertificatePointer> all;
  while (CertificatePointer certificate{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)})
    all.push_back(std::move(certificate));
  if (!at_end_of_pem()) all.clear();
  ERR_clear_error();
  return all;
}

KeyPointer key_of(std::string_view pem) {
  ERR_clear_error();
  const BioPointer bio = reader_of(pem);
  KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  const TimePointer epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (epoch == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return 0;
  return std::int64_t{days} * 24 * 60 * 60 + seconds;
}

void require(bool succeeded, const char* what) {
  if (!succeeded) throw std::runtime_error(std::string(what) + " failed: " + take_openssl_errors());
}

}  // namespace raftlab::net

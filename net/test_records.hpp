#pragma once

#include "net/test_stranger.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <vector>

/// Records of TLS 1.3 as no library writes them: with a good key, and any type and content.
namespace raftlab::net::test {

/// To be given to `Stranger::handshake`: keeps the secret that `Records` needs.
inline void keep_secret(SSL_CTX& context) {
  SSL_CTX_set_ciphersuites(&context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_keylog_callback(&context, [](const SSL* session, const char* line) {
    const std::string_view text(line);
    if (text.starts_with("CLIENT_TRAFFIC_SECRET_0 "))
      SSL_set_app_data(const_cast<SSL*>(session), new std::string(text.substr(text.rfind(' ') + 1)));
  });
}

class Records {
 public:
  static constexpr std::uint8_t alert = 21;
  static constexpr std::uint8_t handshake = 22;
  static constexpr std::uint8_t data = 23;

  /// Of a stranger who has dialled, and has written so many records since the handshake: from now on all of them come from here.
  Records(Stranger& stranger, std::uint64_t written) : sequence_(written) {
    auto* const kept = static_cast<std::string*>(SSL_get_app_data(&stranger.session()));
    const std::unique_ptr<std::string> hex(kept);
    SSL_set_app_data(&stranger.session(), nullptr);
    std::vector<unsigned char> secret;
    for (std::size_t i = 0; i + 1 < hex->size(); i += 2)
      secret.push_back(static_cast<unsigned char>(std::stoi(hex->substr(i, 2), nullptr, 16)));
    key_ = expanded(secret, "key", 16);
    iv_ = expanded(secret, "iv", 12);
  }

  [[nodiscard]] std::string record(std::uint8_t type, std::string_view content) {
    std::string inner(content);
    inner.push_back(static_cast<char>(type));
    const std::size_t size = inner.size() + 16;
    std::string record{'\x17', '\x03', '\x03', static_cast<char>(size >> 8U),
                       static_cast<char>(size & 0xffU)};
    std::string nonce = iv_;
    for (std::size_t i = 0; i < 8; ++i)
      nonce[11 - i] =
          static_cast<char>(static_cast<unsigned char>(nonce[11 - i]) ^ (sequence_ >> (8 * i) & 0xffU));
    ++sequence_;
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                  EVP_CIPHER_CTX_free);
    int count = 0;
    std::string sealed(inner.size(), '\0');
    std::string tag(16, '\0');
    const bool done =
        EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes(key_), bytes(nonce)) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &count, bytes(record), static_cast<int>(record.size())) ==
            1 &&
        EVP_EncryptUpdate(context.get(), bytes(sealed), &count, bytes(inner),
                          static_cast<int>(inner.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), bytes(sealed), &count) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, 16, tag.data()) == 1;
    require(done, "sealing a record");
    return record + sealed + tag;
  }

 private:
  static unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

  /// HKDF-Expand-Label (RFC 8446, §7.1) of at most one block of SHA-256.
  static std::string expanded(const std::vector<unsigned char>& secret, std::string_view label,
                              std::size_t size) {
    std::string info{'\0', static_cast<char>(size), static_cast<char>(6 + label.size())};
    info.append("tls13 ").append(label).append(std::string{'\0', '\1'});
    std::string block(32, '\0');
    unsigned int count = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(info), info.size(), bytes(block),
         &count);
    return block.substr(0, size);
  }

  std::uint64_t sequence_;
  std::string key_;
  std::string iv_;
};

}  // namespace raftlab::net::test

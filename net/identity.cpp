#include "net/identity.hpp"

#include "net/openssl.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace raftlab::net {
namespace {

constexpr std::string_view scheme = "raft://";
constexpr std::size_t cluster_digits = 16;

std::string hexadecimal(std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(cluster_digits, '0');
  for (std::size_t i = cluster_digits; i-- > 0; number >>= 4U) text[i] = digits[number & 0xfU];
  return text;
}

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto inner = [&](char c) { return letter(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= client_name_bytes_max && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), inner);
}

/// All of the text, or nothing.
template <class Number>
std::optional<Number> number_of(std::string_view text, int base) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Identity> any_identity(std::string_view uri) {
  if (!uri.starts_with(scheme)) return std::nullopt;
  uri.remove_prefix(scheme.size());
  if (uri.size() < cluster_digits + 2 || uri[cluster_digits] != '/') return std::nullopt;
  const auto cluster = number_of<std::uint64_t>(uri.substr(0, cluster_digits), 16);
  if (!cluster) return std::nullopt;
  uri.remove_prefix(cluster_digits + 1);

  for (const ClientRole role : {ClientRole::client, ClientRole::admin}) {
    const std::string prefix = std::string(name(role)) + '/';
    if (uri.starts_with(prefix)) {
      uri.remove_prefix(prefix.size());
      if (!is_name(uri)) return std::nullopt;
      return ClientIdentity{ClusterId(*cluster), role, std::string(uri)};
    }
  }
  const auto node = number_of<std::uint32_t>(uri, 10);
  if (!node || *node == 0) return std::nullopt;
  return NodeIdentity{ClusterId(*cluster), raft::NodeId(*node)};
}

/// Also "RAFT:", " raft:" and what else somebody might take for ours: such a certificate is an attempt, or a mistake that
/// its maker should hear of.
bool resembles_ours(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  std::string before;
  for (const char c : uri.substr(0, colon)) {
    if (c >= 'A' && c <= 'Z') {
      before += static_cast<char>(c - 'A' + 'a');
    } else if (c >= 'a' && c <= 'z') {
      before += c;
    }
  }
  return before == "raft";
}

/// The bytes as they stand in the certificate, with their length: a byte 0 ends nothing.
std::string_view text_of(const ASN1_STRING& string) {
  const int length = ASN1_STRING_length(&string);
  if (length <= 0) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&string)), static_cast<std::size_t>(length)};
}

bool has_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::variant<Identity, IdentityError> identity_among(const GENERAL_NAMES& names) {
  const int count = sk_GENERAL_NAME_num(&names);
  if (count > alternative_names_max) return IdentityError::too_many;
  std::optional<Identity> found;
  for (int position = 0; position < count; ++position) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(&names, position), &type);
    if (type != GEN_URI && type != GEN_DNS && type != GEN_EMAIL) continue;
    const std::string_view text = text_of(*static_cast<const ASN1_STRING*>(value));
    if (has_zero(text)) return IdentityError::malformed;
    if (type != GEN_URI || !resembles_ours(text)) continue;
    if (found) return IdentityError::ambiguous;
    found = parse_identity(text);
    if (!found) return IdentityError::malformed;
  }
  if (!found) return IdentityError::missing;
  return *found;
}

std::variant<Identity, IdentityError> identity_in_subject(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int position = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (position < 0) return IdentityError::missing;
  if (X509_NAME_get_index_by_NID(subject, NID_commonName, position) >= 0) return IdentityError::ambiguous;
  const ASN1_STRING* common_name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position));
  const std::string_view text = text_of(*common_name);
  if (const std::optional<Identity> identity = parse_identity(text)) return *identity;
  return has_zero(text) || resembles_ours(text) ? IdentityError::malformed : IdentityError::missing;
}

}  // namespace

const char* name(ClientRole role) { return role == ClientRole::admin ? "admin" : "client"; }

const char* name(IdentityError error) {
  switch (error) {
    case IdentityError::missing: return "missing";
    case IdentityError::malformed: return "malformed";
    case IdentityError::ambiguous: return "ambiguous";
    case IdentityError::too_many: return "too_many";
  }
  return "?";
}

std::string uri_of(const NodeIdentity& identity) {
  return std::string(scheme) + hexadecimal(identity.cluster.value()) + '/' +
         std::to_string(identity.node.value());
}

std::string uri_of(const ClientIdentity& identity) {
  return std::string(scheme) + hexadecimal(identity.cluster.value()) + '/' + name(identity.role) + '/' +
         identity.name;
}

std::string uri_of(const Identity& identity) {
  return std::visit([](const auto& one) { return uri_of(one); }, identity);
}

std::optional<Identity> parse_identity(std::string_view uri) {
  std::optional<Identity> identity = any_identity(uri);
  // Whatever a number may also look like (leading zeros, capital digits): there is one way to write it.
  if (identity && uri_of(*identity) != uri) identity.reset();
  return identity;
}

std::string claim_of(const X509& certificate) {
  std::string claim;
  const NamesPointer names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int position = 0; names != nullptr && position < sk_GENERAL_NAME_num(names.get()); ++position) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), position), &type);
    if (type != GEN_URI || claim.size() >= claim_bytes_max) continue;
    if (!claim.empty()) claim += ' ';
    claim += text_of(*static_cast<const ASN1_STRING*>(value)).substr(0, claim_bytes_max);
  }
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int position = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (claim.empty() && position >= 0)
    claim = "CN=" + std::string(text_of(*X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position))));
  claim.resize(std::min(claim.size(), claim_bytes_max));
  return claim;
}

std::variant<Identity, IdentityError> identity_of(const X509& certificate) {
  int found = 0;
  const NamesPointer names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, &found, nullptr)));
  if (names != nullptr) return identity_among(*names);
  // -1: there is no such extension. Anything else: there is, but twice, or it cannot be read.
  if (found != -1) return IdentityError::malformed;
  return identity_in_subject(certificate);
}

}  // namespace raftlab::net

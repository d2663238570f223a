#include "format/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "format/file.h"

namespace smcl::format {
namespace {

namespace fs = std::filesystem;

std::string digest_of_file(Algorithm algorithm, const fs::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  Digest digest(algorithm);
  std::vector<char> block(std::size_t{1} << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    digest.add(std::string_view(block.data(), static_cast<std::size_t>(in.gcount())));
  }
  if (!in.eof()) throw IoError(concat("cannot read ", file.string(), ": ", std::strerror(errno)));
  return digest.hex();
}

}  // namespace

struct Digest::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(md); }
};

Digest::Digest(Algorithm algorithm) : context_(std::make_unique<Context>()) {
  const EVP_MD* kind = algorithm == Algorithm::md5 ? EVP_md5() : EVP_sha256();
  if (context_->md == nullptr || EVP_DigestInit_ex(context_->md, kind, nullptr) != 1) {
    throw InternalError("OpenSSL does not offer this hash (a FIPS set-up has no MD5)");
  }
}

Digest::~Digest() = default;

void Digest::add(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) != 1) {
    throw InternalError("OpenSSL failed to hash");
  }
}

void Digest::add(std::string_view text) {
  add(std::as_bytes(std::span(text.data(), text.size())));
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_->md, bytes.data(), &size) != 1) {
    throw InternalError("OpenSSL failed to hash");
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 15];
  }
  return out;
}

std::string md5_of_file(const fs::path& file) {
  return digest_of_file(Algorithm::md5, file);
}

std::string sha256_of_file(const fs::path& file) {
  return digest_of_file(Algorithm::sha256, file);
}

std::string sha256(std::string_view text) {
  Digest digest(Algorithm::sha256);
  digest.add(text);
  return digest.hex();
}

}  // namespace smcl::format

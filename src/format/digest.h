#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace smcl::format {

enum class Algorithm { md5, sha256 };

/// A hash over pieces that come one after the other.
class Digest {
 public:
  /// Throws InternalError where OpenSSL does not offer the algorithm.
  explicit Digest(Algorithm algorithm);
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  /// The digest in lower-case hexadecimal; nothing may be added afterwards.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace smcl::format

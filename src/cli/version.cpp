#include "cli/version.h"

#include <openssl/opensslv.h>
#include <png.h>
#include <toml++/impl/version.h>
#include <zlib.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/version.h"
#include "tensor/runtime.h"

namespace smcl::cli {
namespace {

std::string dotted(int major, int minor, int patch) {
  return concat(major, ".", minor, ".", patch);
}

}  // namespace

std::string version_text() {
  return concat(
      "smcl ", version(), " (", revision(), ")\nLibTorch ", tensor::runtime_info().torch_version,
      "\nCLI11 ", CLI11_VERSION, "\ntoml++ ",
      dotted(TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH), "\nspdlog ", log::library_version(),
      "\nnlohmann json ",
      dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH),
      "\nlibpng ", PNG_LIBPNG_VER_STRING, "\nzlib ", ZLIB_VERSION, "\nOpenSSL ",
      OPENSSL_VERSION_STR, "\n", compiler());
}

}  // namespace smcl::cli

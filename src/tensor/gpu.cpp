#include "tensor/gpu.h"

#include <dlfcn.h>

#include <filesystem>

#include "core/error.h"

namespace smcl::tensor {

namespace {

constexpr const char* kLibrary = "libsmcl_gpu.so";

/// The folder of the program or library that holds this function.
std::filesystem::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_gpu), &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::error_code failure;
  const auto file = std::filesystem::canonical(
      info.dli_fname[0] == '/' ? info.dli_fname : "/proc/self/exe", failure);
  return failure ? std::filesystem::path() : file.parent_path();
}

/// Where an installation or a build folder has it, seen from the program or library with this code.
std::filesystem::path library_file() {
  const std::filesystem::path here = own_folder();
  for (const char* place : {".", "..", "../..", "../../..", "smcl"}) {
    std::error_code ignored;
    const auto file = std::filesystem::weakly_canonical(here / place / kLibrary, ignored);
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return {};
}

GpuAnswer without(std::string why) {
  return {nullptr, std::move(why), true};
}

GpuAnswer ask() {
  const std::filesystem::path file = library_file();
  if (file.empty()) {
    return {nullptr,
            "this build has no GPU part; configure with -DSMCL_CUDA=ON (docs/gpu.md), or use "
            "--device cpu",
            false};
  }
  // Without a driver nothing else needs to be loaded to know.
  if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    return without(
        "no NVIDIA driver was found; install driver 580 or newer (nvidia-smi shows it), or use "
        "--device cpu");
  }
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return without(concat("the GPU part cannot be loaded: ", dlerror(),
                          "; LibTorch's libraries for CUDA must be there (docs/gpu.md), or use "
                          "--device cpu"));
  }
  using Interface = int (*)();
  using Open = const GpuAnswer* (*)();
  const auto interface = reinterpret_cast<Interface>(dlsym(library, "smcl_gpu_interface"));
  const auto open = reinterpret_cast<Open>(dlsym(library, "smcl_open_gpu"));
  if (interface == nullptr || open == nullptr || interface() != kGpuInterface) {
    return without(concat(file.string(), " belongs to another build of smcl; build both again"));
  }
  return *open();
}

}  // namespace

const GpuAnswer& find_gpu() {
  static const GpuAnswer answer = ask();
  return answer;
}

}  // namespace smcl::tensor

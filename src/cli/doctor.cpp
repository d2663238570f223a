#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "command/tree.h"
#include "core/cpu.h"
#include "core/error.h"
#include "core/version.h"
#include "data/scenes.h"
#include "nn/network.h"
#include "record/run_folder.h"
#include "tensor/gpu.h"
#include "tensor/runtime.h"

namespace smcl::cli {
namespace {

/// One finding: what is misconfigured and what to do.
std::vector<std::string> problems() {
  std::vector<std::string> found;
  const std::string fashion = data::ScenesSettings{}.fashion_dir;
  if (!std::filesystem::exists(fashion)) {
    found.push_back("Fashion-MNIST is not at " + fashion +
                    "; the scenes need it: apt-get install dataset-fashion-mnist");
  }
  for (const char* name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "ONEDNN_MAX_CPU_ISA",
                           "ATEN_CPU_CAPABILITY", "SMCL_ISA", "SMCL_KERNELS"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      found.push_back(std::string(name) + "=" + value + " is set: it changes speed and bits");
    }
  }
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && static_cast<double>(pages) * static_cast<double>(page) < 2e9) {
    found.push_back("less than 2 GB of memory: training may be killed by the system");
  }
  return found;
}

void doctor(const std::string& format) {
  const tensor::GpuAnswer& gpu = tensor::find_gpu();
  tensor::prepare_runtime();
  nlohmann::json facts = record::base_fingerprint();
  const tensor::RuntimeInfo info = tensor::runtime_info();
  facts["libtorch"] = info.torch_version;
  facts["libtorch_isa"] = info.isa;
  facts["threads"] = info.threads;
  facts["amx"] = cpu_has_amx();
  const char* const spin = std::getenv("GOMP_SPINCOUNT");
  facts["spin_count"] = spin == nullptr ? "default of OpenMP" : spin;
  for (const auto& [type, precision] :
       {std::pair("fp32", batch::Precision::fp32), std::pair("bf16", batch::Precision::bf16)}) {
    facts[concat("kernels_", type)] = nn::describe_kernels({}, 10, 32, 32, precision);
  }
  facts["gpu"] = gpu.gpu == nullptr ? concat("none: ", gpu.why_not)
                                    : concat(gpu.gpu->name(), ", ", gpu.gpu->versions());
  const auto found = problems();
  if (format == "json") {
    facts["libtorch_config"] = info.config;
    facts["parallel"] = info.parallel;
    facts["problems"] = found;
    std::cout << facts.dump(2) << '\n';
    return;
  }
  for (const auto& [key, value] : facts.items()) {
    std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump())
              << '\n';
  }
  std::cout << info.config << '\n' << info.parallel << '\n';
  if (found.empty()) std::cout << "no problems found\n";
  for (const std::string& problem : found) std::cout << "problem: " << problem << '\n';
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto format = std::make_shared<std::string>("text");
  CLI::App* command =
      app.add_subcommand("doctor", "what a bug report needs, and what is misconfigured");
  command::add_format(*command, *format, "", {"text", "json"});
  command->footer("Example:\n  smcl doctor");
  command->callback([format] { doctor(*format); });
}

}  // namespace smcl::cli

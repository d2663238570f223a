#include <exception>
#include <iostream>

#include "cli/commands.h"
#include "core/error.h"
#include "core/log.h"
#include "core/version.h"
#include "tensor/runtime.h"

namespace smcl::cli {
namespace {

std::string version_text() {
  const tensor::RuntimeInfo info = tensor::runtime_info();
  return concat("smcl ", version(), " (", revision(), ")\nLibTorch ", info.torch_version);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{
      "Trains image classifiers on long-tailed data: SMCL (saliency masked contrastive learning) "
      "and its baselines."};
  app.name("smcl");
  app.set_version_flag("--version", version_text, "versions of the program and its libraries");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  smcl train recipes/quickstart/smcl.toml\n"
      "  smcl train recipes/cifar10/smcl.toml --set data.dir=DIR --set data.ratio=50\n"
      "  smcl compare runs/scenes-ce-1 runs/scenes-smcl-1\n"
      "Exit codes: 0 done, 2 usage, 3 diverged, 65 bad data, 70 internal, 74 input/output.");
  add_train(app);
  add_eval(app);
  add_compare(app);
  add_explain(app);
  add_data(app);
  add_doctor(app);
  try {
    app.parse(argc, argv);
    return static_cast<int>(ExitCode::ok);
  } catch (const CLI::ParseError& problem) {
    const int code = app.exit(problem);
    return code == 0 ? 0 : static_cast<int>(ExitCode::usage);
  } catch (const Error& problem) {
    log::error(concat("smcl: ", problem.what()));
    return static_cast<int>(problem.code());
  } catch (const std::exception& problem) {
    log::error(concat("smcl: internal error: ", problem.what(),
                      "; please report it with the output of 'smcl doctor'"));
    return static_cast<int>(ExitCode::internal);
  }
}

}  // namespace smcl::cli

#include "command/run.h"

#include "cli/commands.h"
#include "cli/version.h"
#include "command/index.h"
#include "experiment/recipe.h"

namespace smcl::cli {
namespace {

std::vector<std::string> setting_keys() {
  std::vector<std::string> keys;
  for (const config::Resolved& setting : experiment::default_settings()) {
    keys.push_back(setting.key);
  }
  return keys;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{
      "Trains image classifiers on long-tailed data: SMCL (saliency masked contrastive learning) "
      "and its baselines."};
  app.name("smcl");
  app.set_version_flag("--version", version_text, "versions of the program and its libraries");
  app.require_subcommand(1);
  add_train(app);
  add_sweep(app);
  command::add_index(app, setting_keys);
  add_eval(app);
  add_compare(app);
  add_report(app);
  add_explain(app);
  add_analyze(app);
  add_data(app);
  add_settings(app);
  add_doctor(app);
  add_manual(app);
  add_completion(app);
  // After the commands, which would inherit it.
  app.footer(
      "Examples:\n"
      "  smcl train recipes/quickstart/smcl.toml\n"
      "  smcl train recipes/cifar10/smcl.toml --set data.dir=DIR --set data.ratio=50\n"
      "  smcl compare runs/scenes-ce-1 runs/scenes-smcl-1\n"
      "Exit codes: 0 done, 2 usage, 3 diverged, 65 bad data, 70 internal, 74 input/output,\n"
      "75 stopped by a signal, run again to go on.");
  return command::run(app, argc, argv);
}

}  // namespace smcl::cli

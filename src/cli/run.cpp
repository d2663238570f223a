#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/usage.h"
#include "cli/version.h"
#include "core/error.h"
#include "core/exit_code.h"
#include "core/log.h"

namespace smcl::cli {
namespace {

/// Turns every way out of a command into an exit code, and its error into one line.
int parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return static_cast<int>(ExitCode::ok);
  } catch (const CLI::Success& wish) {  // --help, --version
    return app.exit(wish);
  } catch (const CLI::ParseError& problem) {
    log::error(concat("smcl: ", usage_text(app, problem)));
    return static_cast<int>(ExitCode::usage);
  } catch (const Error& problem) {
    log::error(concat("smcl: ", problem.what()));
    return static_cast<int>(exit_code_of(problem));
  } catch (const std::filesystem::filesystem_error& problem) {
    log::error(
        concat("smcl: cannot reach ", problem.path1().string(), ": ", problem.code().message()));
    return static_cast<int>(exit_code_of(problem));
  } catch (const std::exception& problem) {
    log::error(concat("smcl: internal error: ", problem.what(),
                      "; please report it with the output of 'smcl doctor'"));
    return static_cast<int>(exit_code_of(problem));
  }
}

/// A result that did not reach its file must not look like success.
int check_output(int code) {
  errno = 0;
  std::cout.flush();
  if (std::cout || code != 0) return code;
  log::error(concat("smcl: cannot write to standard output",
                    errno != 0 ? concat(": ", std::strerror(errno)) : ""));
  return static_cast<int>(ExitCode::io);
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
  add_index(app);
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
  return check_output(parse(app, argc, argv));
}

}  // namespace smcl::cli

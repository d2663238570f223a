#include "command/run.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "command/usage.h"
#include "core/error.h"
#include "core/exit_code.h"
#include "core/log.h"

namespace smcl::command {
namespace {

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

int exit_code_after(const std::function<void()>& work) {
  try {
    work();
    return static_cast<int>(ExitCode::ok);
  } catch (const Error& problem) {
    log::error(concat("smcl: ", problem.what()));
    return static_cast<int>(exit_code_of(problem));
  } catch (const std::filesystem::filesystem_error& problem) {
    log::error(
        concat("smcl: cannot reach ", problem.path1().string(), ": ", problem.code().message()));
    return static_cast<int>(exit_code_of(problem));
  } catch (const std::system_error& problem) {  // of threads: files have a kind of their own
    log::error(
        concat("smcl: the system refuses: ", problem.code().message(),
               "; a thread too many? lower run.threads, run.loader_threads, --parallel or --jobs"));
    return static_cast<int>(exit_code_of(problem));
  } catch (const std::exception& problem) {
    log::error(concat("smcl: internal error: ", problem.what(),
                      "; please report it with the output of 'smcl doctor'"));
    return static_cast<int>(exit_code_of(problem));
  }
}

int run(CLI::App& app, int argc, char** argv) {
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on files' sizes is a failed write
  int shown = 0;
  const int code = exit_code_after([&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& wish) {  // --help, --version
      shown = app.exit(wish);
    } catch (const CLI::ParseError& problem) {
      throw UsageError(usage_text(app, problem));
    }
  });
  return check_output(code != 0 ? code : shown);
}

}  // namespace smcl::command

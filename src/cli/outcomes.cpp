#include "cli/outcomes.h"

#include "core/error.h"
#include "core/exit_code.h"
#include "core/log.h"

namespace smcl::cli {
namespace {

/// A run that failed, in one line, with its place in the list as its log messages have it.
void tell(const std::string& name, std::size_t i, const std::exception& problem) {
  log::error(concat("smcl: ", name, " (", i + 1, "): ", problem.what()));
}

}  // namespace

void throw_problems(const std::vector<std::string>& names,
                    const std::vector<experiment::Outcome>& outcomes, const std::string& remedy,
                    const std::string& of_diverged) {
  std::exception_ptr first;
  bool stopped = false;
  bool diverged = false;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].result) ++missing;  // it failed, or a stop came before it
    if (outcomes[i].problem == nullptr) continue;
    if (first == nullptr) first = outcomes[i].problem;
    if (outcomes.size() == 1) break;
    try {
      std::rethrow_exception(outcomes[i].problem);
    } catch (const std::exception& problem) {
      stopped = stopped || exit_code_of(problem) == ExitCode::stopped;
      diverged = diverged || exit_code_of(problem) == ExitCode::diverged;
      tell(names[i], i, problem);
    }
  }
  if (first == nullptr) return;
  if (outcomes.size() == 1) std::rethrow_exception(first);
  try {
    std::rethrow_exception(first);
  } catch (const std::exception& problem) {
    // Who runs it again after a stop must not take it for a failure.
    throw Error(stopped ? ExitCode::stopped : exit_code_of(problem),
                concat(missing, " of ", outcomes.size(),
                       " runs did not come to their end (see above): ", remedy,
                       diverged ? of_diverged : ""));
  }
}

}  // namespace smcl::cli

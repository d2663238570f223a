#pragma once

#include <string>
#include <vector>

#include "experiment/train_all.h"

namespace smcl::cli {

/// The first problem of several runs is thrown once all are told, a line each with the run's name
/// and place in the list; where there is one run, it is thrown as it is. Nothing where there is
/// none. `remedy` says how to go on, `of_diverged` what runs that diverged need beside it.
void throw_problems(const std::vector<std::string>& names,
                    const std::vector<experiment::Outcome>& outcomes, const std::string& remedy,
                    const std::string& of_diverged = "");

}  // namespace smcl::cli

#pragma once

#include <vector>

#include "experiment/train_all.h"

namespace smcl::cli {

/// The first problem of several runs is thrown once all are told, a line each with the run's name
/// and place in the list; where there is one run, it is thrown as it is. Nothing where there is
/// none.
void throw_problems(const std::vector<const experiment::Recipe*>& recipes,
                    const std::vector<experiment::Outcome>& outcomes);

}  // namespace smcl::cli

#pragma once

#include <string>

#include "experiment/recipe.h"

namespace smcl::experiment {

/// Every check that needs no data, before any work starts: names, ranges, and settings that
/// contradict each other, or were changed and have no effect. Throws UsageError, one sentence.
void check_recipe(const Recipe& recipe);

/// What a run is too short for although nobody chose it so: the defaults of warm-up, drops and
/// starts in a run of a few epochs. One line; empty where the run is long enough.
std::string short_run_warning(const Recipe& recipe);

}  // namespace smcl::experiment

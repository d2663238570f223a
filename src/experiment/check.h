#pragma once

#include <string>

#include "experiment/recipe.h"

namespace smcl::experiment {

/// Every check that needs no data, before any work starts: names, ranges, and settings that
/// contradict each other. Throws UsageError, one sentence.
void check_recipe(const Recipe& recipe);

/// What can be trained, but not have been meant: settings that were changed and have no effect
/// (idle.h), starts and drops that never come, a warm-up that hides a drop. Throws as above.
void check_choices(const Recipe& recipe);

/// What a run is too short for although nobody chose it so: the defaults of warm-up, drops and
/// starts in a run of a few epochs. One line; empty where the run is long enough.
std::string short_run_warning(const Recipe& recipe);

}  // namespace smcl::experiment

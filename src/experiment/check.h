#pragma once

#include "experiment/recipe.h"

namespace smcl::experiment {

/// Every check that needs no data, before any work starts: names, ranges, and settings that
/// contradict each other, or were changed and have no effect. Throws UsageError, one sentence.
void check_recipe(const Recipe& recipe);

}  // namespace smcl::experiment

#pragma once

#include "experiment/recipe.h"

namespace smcl::experiment {

/// A setting that was changed from its default and does nothing makes a sweep over it look like a
/// spread of zero: throws UsageError for the first one. (A run folder's config.toml sets every key,
/// so being set is not enough.) Off values, mask.prob = 0 and contrast.mu = 0, are let pass, and so
/// are mask.start, mix.start and rule.start: they say where a checkpoint is kept to branch from.
void check_idle(const Recipe& recipe);

}  // namespace smcl::experiment

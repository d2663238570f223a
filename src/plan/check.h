#pragma once

#include "plan/planner.h"

namespace smcl::plan {

/// Also the stride of the views' random numbers: another value would change every run with views.
constexpr int kMostViews = 8;

/// Throws InternalError for a step without images, or with lists of lengths that do not go
/// together.
SMCL_API void check_step(const StepPlan& plan);

/// Throws UsageError, in one sentence, for values out of range and for settings that contradict
/// each other.
void check_settings(const PlannerSettings& settings);

}  // namespace smcl::plan

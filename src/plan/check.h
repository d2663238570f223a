#pragma once

#include "plan/planner.h"

namespace smcl::plan {

constexpr int kMostViews = 8;

/// Throws UsageError, in one sentence, for values out of range and for settings that contradict
/// each other.
void check_settings(const PlannerSettings& settings);

}  // namespace smcl::plan

#pragma once

#include <vector>

#include "core/config.h"

namespace smcl::train {

enum class ScheduleKind { step, cosine };

/// Learning rate by epoch (docs/protocol.md): a linear warm-up of one level an epoch, then either
/// constant with drops to given factors of the base rate, or a half cosine down to 0.
struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::step;
  double rate = 0.1;  ///< base
  int warm_up = 5;    ///< epochs; 0 = off
  std::vector<config::Moment> drops{{0.8, true}, {0.9, true}};
  std::vector<double> factors{0.01, 0.0001};  ///< of the base rate, one a drop
};
void bind(config::Binder& binder, ScheduleSettings& settings);

/// Rate of 0-based `epoch` in a run of `epochs`. Throws UsageError where drops and factors differ
/// in number or drops do not ascend.
double learning_rate(const ScheduleSettings& settings, int epoch, int epochs);

}  // namespace smcl::train

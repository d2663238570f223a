#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace smcl::train {

void bind(config::Binder& binder, ScheduleSettings& settings) {
  binder.choice("schedule.kind", settings.kind,
                {{"step", ScheduleKind::step}, {"cosine", ScheduleKind::cosine}},
                "how the learning rate falls");
  binder.field("schedule.rate", settings.rate, {0.0, 1000.0}, "base learning rate");
  binder.field("schedule.warm_up", settings.warm_up, {0, 1e6},
               "epochs of linear warm-up, one level an epoch; 0 = off");
  binder.field("schedule.drops", settings.drops,
               "when the rate drops (step): epochs, or fractions of the run");
  binder.field("schedule.factors", settings.factors, {0.0, 1.0},
               "factor of the base rate from each drop on");
}

double learning_rate(const ScheduleSettings& settings, int epoch, int epochs) {
  if (settings.kind == ScheduleKind::step && settings.drops.size() != settings.factors.size()) {
    throw UsageError(concat("schedule.drops has ", settings.drops.size(),
                            " entries and schedule.factors ", settings.factors.size(),
                            "; each drop needs one factor"));
  }
  if (epoch < settings.warm_up) return settings.rate * (epoch + 1) / settings.warm_up;
  if (settings.kind == ScheduleKind::cosine) {
    const int length = std::max(1, epochs - settings.warm_up);
    const double done = static_cast<double>(epoch - settings.warm_up) / length;
    return settings.rate * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  }
  double factor = 1.0;
  int last = -1;
  for (std::size_t i = 0; i < settings.drops.size(); ++i) {
    const int start = settings.drops[i].epoch(epochs);
    if (start < last) {
      throw UsageError(concat("schedule.drops: drop ", i + 1, " falls in epoch ", start,
                              ", before the one ahead of it in epoch ", last,
                              "; expected ascending moments"));
    }
    last = start;
    if (epoch >= start) factor = settings.factors[i];
  }
  return settings.rate * factor;
}

}  // namespace smcl::train

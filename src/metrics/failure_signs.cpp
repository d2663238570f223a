#include "metrics/failure_signs.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"

namespace smcl::metrics {
namespace {

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string percent(double value) {
  return fixed(100.0 * value, 1) + " %";
}

}  // namespace

std::vector<std::string> FailureSigns::add(const EpochSigns& signs) {
  update_baseline(signs);
  std::vector<std::string> warnings;
  const auto give = [&](Sign sign, std::optional<std::string> text) {
    if (text && !std::exchange(state_.given[sign], true)) {
      warnings.push_back(concat("epoch ", signs.epoch, ": ", *text));
    }
  };
  give(many_drops, many_dropped(signs));
  give(contrast_grows, contrast_grew(signs));
  give(embeddings_collapse, collapsed(signs));
  give(features_vanish, vanished(signs));
  give(tail_at_cost, tail_rose_at_cost(signs));
  return warnings;
}

void FailureSigns::update_baseline(const EpochSigns& signs) {
  const auto take = [&](std::optional<double>& kept, const std::optional<double>& now) {
    if (now && (!signs.masking_started || !kept)) {
      kept = now;
    }
  };
  if (state_.masking_started && !signs.masking_started) {
    return;
  }
  take(state_.before_masking.many, signs.many);
  take(state_.before_masking.all, signs.all);
  take(state_.before_masking.tail, signs.tail);
  state_.masking_started = signs.masking_started;
}

std::optional<std::string> FailureSigns::many_dropped(const EpochSigns& signs) const {
  if (!state_.masking_started || !signs.many || !state_.before_masking.many ||
      *state_.before_masking.many - *signs.many <= options_.many_drop) {
    return std::nullopt;
  }
  return concat("many-shot accuracy fell from ", percent(*state_.before_masking.many),
                " before masking to ", percent(*signs.many),
                ": try a lower mask.prob, a later mask.start or mask.plain = add");
}

std::optional<std::string> FailureSigns::contrast_grew(const EpochSigns& signs) {
  if (!signs.contrast_loss) {
    return std::nullopt;
  }
  auto& losses = state_.contrast_losses;
  losses.push_back(*signs.contrast_loss);
  const auto needed = static_cast<std::size_t>(std::max(1, options_.contrast_epochs)) + 1;
  if (losses.size() > needed) {
    losses.pop_front();
  }
  const bool falls_somewhere =
      std::adjacent_find(losses.begin(), losses.end(), [](double a, double b) { return b <= a; }) !=
      losses.end();
  if (losses.size() < needed || falls_somewhere ||
      losses.back() < losses.front() * (1.0 + options_.contrast_growth)) {
    return std::nullopt;
  }
  return concat("the contrastive loss grew for ", needed - 1, " epochs in a row, from ",
                fixed(losses.front(), 3), " to ", fixed(losses.back(), 3),
                ": try a lower contrast.mu or learning rate, or a higher contrast.tau");
}

std::optional<std::string> FailureSigns::collapsed(const EpochSigns& signs) const {
  if (!signs.mean_cosine || *signs.mean_cosine <= options_.cosine_above ||
      signs.epoch < options_.settle_epochs) {
    return std::nullopt;
  }
  return concat("embeddings collapse, their mean pairwise cosine is ", fixed(*signs.mean_cosine, 3),
                " (warning above ", fixed(options_.cosine_above, 2),
                "): try a lower contrast.mu or learning rate");
}

std::optional<std::string> FailureSigns::vanished(const EpochSigns& signs) const {
  if (!signs.near_zero_share || *signs.near_zero_share <= options_.near_zero_above) {
    return std::nullopt;
  }
  return concat(percent(*signs.near_zero_share),
                " of the masked images have features near zero (warning above ",
                percent(options_.near_zero_above),
                "): try a smaller mask.area, another mask.fill or a lower learning rate");
}

std::optional<std::string> FailureSigns::tail_rose_at_cost(const EpochSigns& signs) const {
  const Baseline& before = state_.before_masking;
  if (!state_.masking_started || !signs.tail || !signs.all || !before.tail || !before.all ||
      *signs.tail - *before.tail < options_.tail_rise ||
      *before.all - *signs.all < options_.all_fall) {
    return std::nullopt;
  }
  return concat("since masking started the tail third rose from ", percent(*before.tail), " to ",
                percent(*signs.tail), " but overall accuracy fell from ", percent(*before.all),
                " to ", percent(*signs.all), ": classes are traded, not learnt; try a lower ",
                "mask.prob or another target.distribution");
}

}  // namespace smcl::metrics

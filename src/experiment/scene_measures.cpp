#include "experiment/scene_measures.h"

#include <numeric>

#include "experiment/summary.h"
#include "format/json.h"
#include "metrics/bias.h"
#include "train/evaluate.h"

namespace smcl::experiment {
namespace {

nlohmann::json to_json(const metrics::GroupValues& values) {
  return {{"all", format::number_or_null(values.all)},
          {"many", format::number_or_null(values.many)},
          {"medium", format::number_or_null(values.medium)},
          {"few", format::number_or_null(values.few)},
          {"medium_few", format::number_or_null(values.medium_few)}};
}

nlohmann::json to_json(const std::optional<metrics::Interval>& interval) {
  if (!interval) return {};
  return nlohmann::json::array({interval->low, interval->high});
}

nlohmann::json to_json(const metrics::Gap& gap) {
  nlohmann::json out = to_json(gap.mean);
  out["interval"] = {{"all", to_json(gap.interval.all)},
                     {"many", to_json(gap.interval.many)},
                     {"medium", to_json(gap.interval.medium)},
                     {"few", to_json(gap.interval.few)},
                     {"medium_few", to_json(gap.interval.medium_few)}};
  return out;
}

std::vector<std::int32_t> kinds_of(const data::Scenes& set) {
  std::vector<std::int32_t> kinds(set.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = set.kind(i, 0);
  return kinds;
}

}  // namespace

nlohmann::json scene_bias(const data::Scenes& set, const data::SceneTruth& truth,
                          const metrics::Predictions& predictions,
                          std::span<const int> train_counts, const metrics::GroupBounds& bounds,
                          const metrics::Bootstrap& bootstrap) {
  metrics::BackgroundTruth background;
  background.kinds = kinds_of(set);
  background.objects.resize(set.size());
  for (std::size_t i = 0; i < set.size(); ++i) background.objects[i] = set.object(i);
  background.preferred = truth.preferred;
  background.seen = metrics::kinds_present(truth.seen);
  const metrics::BackgroundBias bias =
      metrics::background_bias(predictions, background, train_counts, bounds, bootstrap);
  return {{"gap", to_json(bias.gap)},
          {"gap_seen", to_json(bias.gap_seen)},
          {"flips", to_json(bias.flips)},
          {"few_to_many_unseen", format::number_or_null(bias.few_to_many_unseen)},
          {"few_to_many_seen", format::number_or_null(bias.few_to_many_seen)}};
}

nlohmann::json background_only(const data::SceneSets& scenes, nn::Network& network,
                               const data::Opened& data, const metrics::GroupBounds& bounds) {
  std::vector<std::uint32_t> all(scenes.backgrounds->size());
  std::iota(all.begin(), all.end(), 0U);
  const metrics::Predictions plain =
      train::evaluate(network, *scenes.backgrounds, all, data.normalisation);
  const metrics::PlainBias bias =
      metrics::plain_bias(plain, kinds_of(*scenes.backgrounds),
                          metrics::kinds_present(scenes.truth.seen), data.train_counts, bounds);
  return {{"few_unseen_minus_seen", format::number_or_null(bias.few_unseen_minus_seen)},
          {"many_above_share", format::number_or_null(bias.many_above_share)}};
}

}  // namespace smcl::experiment

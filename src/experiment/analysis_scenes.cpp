#include "experiment/analysis_scenes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "batch/augment.h"
#include "batch/placement.h"
#include "core/error.h"
#include "core/random.h"
#include "experiment/explain.h"
#include "experiment/scene_measures.h"
#include "metrics/bias.h"
#include "metrics/logistic.h"

namespace smcl::experiment {
namespace {

using nlohmann::json;

std::vector<std::int32_t> objects_of(const SceneAnalysis& what) {
  const data::Scenes& test = *what.data.scenes->test;
  std::vector<std::int32_t> objects;
  for (const std::uint32_t sample : what.data.test_samples) objects.push_back(test.object(sample));
  return objects;
}

/// Rows of every second object: 0 for those that a probe is fitted on, 1 for those it is judged on.
std::vector<std::uint8_t> held_out(const std::vector<std::int32_t>& objects) {
  std::map<std::int32_t, std::uint8_t> side;
  for (const std::int32_t object : objects) side[object] = 0;
  std::uint8_t next = 0;
  for (auto& [object, is_out] : side) {
    is_out = next;
    next ^= 1;
  }
  std::vector<std::uint8_t> rows;
  for (const std::int32_t object : objects) rows.push_back(side[object]);
  return rows;
}

metrics::Features rows_where(const metrics::Features& all, const std::vector<std::uint8_t>& marks,
                             std::uint8_t wanted) {
  metrics::Features part{all.dim, {}};
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] != wanted) continue;
    const auto row = all.row(i);
    part.values.insert(part.values.end(), row.begin(), row.end());
  }
  return part;
}

std::vector<std::int32_t> values_where(const std::vector<std::int32_t>& all,
                                       const std::vector<std::uint8_t>& marks,
                                       std::uint8_t wanted) {
  std::vector<std::int32_t> part;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] == wanted) part.push_back(all[i]);
  }
  return part;
}

/// 1 for each held-out row whose kind the probe finds.
std::vector<double> hits(const metrics::Features& features, const std::vector<std::int32_t>& kinds,
                         const std::vector<std::uint8_t>& out) {
  const metrics::Probe probe(rows_where(features, out, 0), values_where(kinds, out, 0),
                             data::kSceneKinds, {});
  const auto found = probe.predict(rows_where(features, out, 1));
  const auto truth = values_where(kinds, out, 1);
  std::vector<double> result;
  for (std::size_t i = 0; i < found.size(); ++i) result.push_back(found[i] == truth[i] ? 1.0 : 0.0);
  return result;
}

std::optional<double> number(const json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// The numbers of one object by shot group.
void add_groups(const json& values, const json& intervals, record::Measure like,
                MeasureList& list) {
  const std::array<std::pair<const char*, const char*>, 5> groups{{{"medium_few", "medium and few"},
                                                                   {"all", "all classes"},
                                                                   {"many", "many"},
                                                                   {"medium", "medium"},
                                                                   {"few", "few"}}};
  const std::string title = like.title;
  const std::string key = like.key;
  for (const auto& [name, words] : groups) {
    const auto value = number(values.at(name));
    if (!value) continue;
    like.key = concat(key, ".", name);
    like.title = concat(title, ", ", words);
    like.value = *value;
    like.low.reset();
    like.high.reset();
    if (intervals.is_object() && intervals.at(name).is_array()) {
      like.low = number(intervals.at(name).at(0));
      like.high = number(intervals.at(name).at(1));
    }
    list.add(like);
  }
}

void add_one(const json& value, record::Measure measure, MeasureList& list) {
  if (const auto found = number(value)) {
    measure.value = *found;
    list.add(std::move(measure));
  }
}

record::Measure named(std::string key, std::string title, std::string group, record::Unit unit) {
  record::Measure measure;
  measure.key = std::move(key);
  measure.title = std::move(title);
  measure.group = std::move(group);
  measure.unit = unit;
  return measure;
}

/// Takes a mark for a kind of background: 0 where it is set, which every class prefers.
metrics::BackgroundBias gap_by(const std::vector<std::uint8_t>& marks,
                               const std::vector<std::int32_t>& objects, const Seen& test,
                               const SceneAnalysis& what) {
  metrics::BackgroundTruth truth;
  for (const std::uint8_t mark : marks) truth.kinds.push_back(mark != 0 ? 0 : 1);
  truth.objects = objects;
  truth.preferred.assign(what.data.train_counts.size(), {0});
  truth.seen = truth.preferred;
  return metrics::background_bias(test.predictions, truth, what.data.train_counts,
                                  what.recipe.groups, what.bootstrap);
}

}  // namespace

metrics::Features colour_features(const data::Dataset& set,
                                  const std::vector<std::uint32_t>& samples) {
  metrics::Features out{6, {}};
  std::vector<std::uint8_t> scratch;
  for (const std::uint32_t sample : samples) {
    const ImageView image = set.image(sample, 0, scratch);
    const double pixels = static_cast<double>(image.height) * image.width;
    for (int c = 0; c < 3; ++c) {
      double sum = 0.0;
      double squares = 0.0;
      for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
          const double value = image.row(y)[x * 3 + c];
          sum += value;
          squares += value * value;
        }
      }
      const double mean = sum / pixels;
      const double variance = std::max(squares / pixels - mean * mean, 0.0);
      out.values.push_back(static_cast<float>(mean));
      out.values.push_back(static_cast<float>(std::sqrt(variance)));
    }
  }
  return out;
}

void add_probe(const SceneAnalysis& what, const Seen& test, MeasureList& list) {
  const data::Scenes& set = *what.data.scenes->test;
  const auto objects = objects_of(what);
  const auto out = held_out(objects);
  std::vector<std::int32_t> kinds;
  for (const std::uint32_t sample : what.data.test_samples) kinds.push_back(set.kind(sample, 0));
  const auto units = values_where(objects, out, 1);
  if (units.empty()) return;  // a single object: nothing is left to judge on
  const metrics::RowBootstrap bootstrap(units, values_where(test.predictions.labels, out, 1),
                                        what.bootstrap);
  const char* group = "Kind of the background, read from test images";
  const auto add = [&](const char* key, const char* title, const metrics::Features& features) {
    record::Measure measure = named(key, title, group, record::Unit::share);
    measure.chance = 1.0 / data::kSceneKinds;
    list.add(measure, bootstrap.mean(hits(features, kinds, out)));
  };
  add("probe.kind.features", "linear probe on features", test.features);
  add("probe.kind.colours", "control: linear probe on mean and spread of colours",
      colour_features(set, what.data.test_samples));
}

std::vector<std::uint8_t> peaks_on_object(const SceneAnalysis& what, const data::Dataset& set,
                                          const std::vector<std::uint32_t>& samples) {
  const data::Opened& data = what.data;
  batch::ExecutorSettings settings = what.recipe.executor_settings(data.normalisation);
  settings.augment = {0, false};
  settings.mask.kind = plan::MaskKind::saliency;
  settings.mix = plan::MixKind::none;
  settings.lambda = {};
  batch::Placement placement(settings, set, data.height, data.width);
  std::vector<std::uint8_t> scratch;
  Image image(data.height, data.width, 3);
  std::vector<std::uint8_t> result;
  for (const std::uint32_t sample : samples) {
    const ImageView view = set.image(sample, 0, scratch);
    batch::augment(view, {}, 0, image.row(0));
    const plan::ImageDraw plain{sample, 0, 0, false};
    const auto treatment = plan::resolve(plain, nullptr, 0, data.height, data.width);
    RandomStream random(what.seed, Purpose::mask_place, 0, sample);
    plan::MaskDraw draw;
    draw.place_y = random.next();
    draw.place_x = random.next();
    const Point peak = placement.place(draw, {view, image.row(0), treatment, sample, 0}).centre;
    const auto object = set.object_mask(sample, 0);
    result.push_back(object[static_cast<std::size_t>(peak.y * data.width + peak.x)]);
  }
  return result;
}

void add_peaks(const SceneAnalysis& what, const Seen& test, MeasureList& list) {
  const auto on = peaks_on_object(what, *what.data.test, what.data.test_samples);
  const auto objects = objects_of(what);
  const metrics::Predictions& predictions = test.predictions;
  std::vector<double> correct;
  std::vector<double> share;
  std::vector<std::uint8_t> off;
  for (std::size_t i = 0; i < on.size(); ++i) {
    correct.push_back(predictions.predicted(i) == predictions.labels[i] ? 1.0 : 0.0);
    share.push_back(on[i]);
    off.push_back(on[i] != 0 ? 0 : 1);
  }
  const metrics::RowBootstrap bootstrap(objects, predictions.labels, what.bootstrap);
  const char* group = "Accuracy on test images by their saliency peak";
  const auto share_of = [&](const char* key, const char* title) {
    return named(key, title, group, record::Unit::share);
  };
  list.add(share_of("peak.test.on_object", "images whose peak lies on the object"),
           bootstrap.mean(share));
  list.add(share_of("peak.accuracy.on", "accuracy, peak on the object"),
           bootstrap.mean(correct, on));
  list.add(share_of("peak.accuracy.off", "accuracy, peak beside it"), bootstrap.mean(correct, off));
  const metrics::Gap gap = gap_by(on, objects, test, what).gap;
  const auto add = [&](const char* key, const char* words, const std::optional<double>& value,
                       const std::optional<metrics::Interval>& interval) {
    if (!value) return;
    record::Measure measure =
        named(concat("peak.difference.", key),
              concat("on minus beside, mean over classes, ", words), group, record::Unit::points);
    list.add(measure, metrics::Estimate{*value, interval});
  };
  add("all", "all", gap.mean.all, gap.interval.all);
  add("many", "many", gap.mean.many, gap.interval.many);
  add("medium_few", "medium and few", gap.mean.medium_few, gap.interval.medium_few);
}

void add_places(const SceneAnalysis& what, MeasureList& list) {
  Recipe asked = what.recipe;
  asked.train.seed = what.seed;
  const auto rows = judge_places(asked, what.data, what.judged);
  const auto add = [&](const char* key, const char* group, double PlaceQuality::*value) {
    for (const PlaceQuality& row : rows) {
      const std::string way = row.detector.empty() ? row.kind : concat(row.detector, ".", row.on);
      const std::string words =
          row.detector.empty() ? row.kind : concat(row.detector, " on ", row.on);
      record::Measure measure =
          named(concat("places.", way, ".", key), words, group, record::Unit::share);
      measure.value = row.*value;
      list.add(measure);
    }
  };
  add("peak_on_object", "Detectors: share of peaks on the object", &PlaceQuality::peak_on_object);
  add("object_covered", "Detectors: share of the object under the box",
      &PlaceQuality::object_covered);
  add("box_area", "Detectors: share of the image under the box", &PlaceQuality::box_area);
}

void add_bias(const SceneAnalysis& what, const Seen& test, MeasureList& list) {
  const data::SceneSets& scenes = *what.data.scenes;
  const json bias = scene_bias(*scenes.test, scenes.truth, test.predictions, what.data.train_counts,
                               what.recipe.groups, what.bootstrap);
  const char* group = "Bias by backgrounds, test objects";
  const auto points = [&](const char* key, const char* title) {
    return named(key, title, group, record::Unit::points);
  };
  const auto share = [&](const char* key, const char* title) {
    return named(key, title, group, record::Unit::share);
  };
  add_groups(bias.at("gap"), bias.at("gap").at("interval"), points("bias.gap", "bias gap"), list);
  add_groups(bias.at("gap_seen"), bias.at("gap_seen").at("interval"),
             points("bias.gap_seen", "gap of seen kinds"), list);
  add_groups(bias.at("flips"), json(), share("bias.flips", "flips with the kind"), list);
  add_one(bias.at("few_to_many_unseen"),
          share("bias.few_to_many_unseen", "few-shot taken for many-shot, unseen kinds"), list);
  add_one(bias.at("few_to_many_seen"),
          share("bias.few_to_many_seen", "few-shot taken for many-shot, seen kinds"), list);
  const json plain = background_only(scenes, what.network, what.data, what.recipe.groups);
  add_one(plain.at("few_unseen_minus_seen"),
          points("bias.background_only.few_unseen_minus_seen",
                 "background only: few-shot probability, unseen minus seen kinds"),
          list);
  add_one(plain.at("many_above_share"),
          points("bias.background_only.many_above_share",
                 "background only: many-shot probability above the training share"),
          list);
}

}  // namespace smcl::experiment

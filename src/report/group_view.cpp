#include "report/group_view.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.h"
#include "metrics/paired.h"

namespace smcl::report {
namespace {

using Runs = std::vector<const RunData*>;

/// Labels by rank.
std::vector<std::size_t> ranks_of(const RunData& run) {
  const std::vector<int>& counts = run.classes.train_counts;
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  return order;
}

std::vector<ClassView> classes_of(const Runs& runs,
                                  const std::vector<std::vector<std::size_t>>& ranks) {
  std::vector<ClassView> classes;
  for (std::size_t r = 0; r < ranks.front().size(); ++r) {
    const std::size_t first = ranks.front()[r];
    ClassView view;
    view.name = runs.front()->class_names[first];
    view.count = runs.front()->classes.train_counts[first];
    view.shot = metrics::shot_group(view.count, runs.front()->classes.bounds);
    std::vector<double> values;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::size_t label = ranks[i][r];
      if (runs[i]->class_names[label] != view.name) view.name.clear();
      const auto& value = runs[i]->run.row.accuracy.per_class[label];
      if (value) values.push_back(*value);
    }
    if (values.size() == runs.size()) {
      const metrics::Moments found = metrics::moments(values);
      view.mean = found.mean;
      view.deviation = found.deviation;
    }
    classes.push_back(std::move(view));
  }
  return classes;
}

/// Epochs that all runs have.
std::vector<PlotPoint> mean_curve(const Runs& runs, Curve RunData::*which) {
  std::map<int, std::vector<double>> by_epoch;
  for (const RunData* run : runs) {
    for (const auto& [epoch, value] : run->*which) by_epoch[epoch].push_back(value);
  }
  std::vector<PlotPoint> points;
  for (const auto& [epoch, values] : by_epoch) {
    if (values.size() != runs.size()) continue;
    const metrics::Moments found = metrics::moments(values);
    points.push_back({epoch + 1.0, found.mean, found.deviation});
  }
  return points;
}

void read_confusion(GroupView& view, const Runs& runs,
                    const std::vector<std::vector<std::size_t>>& ranks) {
  const std::size_t classes = ranks.front().size();
  std::vector<double> sums(classes * classes);
  std::vector<bool> known(classes, true);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& counts = runs[i]->confusion;
    for (std::size_t t = 0; t < classes; ++t) {
      const auto row = counts.begin() + static_cast<std::ptrdiff_t>(ranks[i][t] * classes);
      const auto total =
          std::accumulate(row, row + static_cast<std::ptrdiff_t>(classes), std::int64_t{0});
      if (total == 0) known[t] = false;
      for (std::size_t p = 0; p < classes && total > 0; ++p) {
        sums[t * classes + p] +=
            static_cast<double>(row[static_cast<std::ptrdiff_t>(ranks[i][p])]) /
            static_cast<double>(total);
      }
    }
  }
  const auto n = static_cast<double>(runs.size());
  view.confusion.resize(classes * classes);
  for (std::size_t t = 0; t < classes; ++t) {
    if (!known[t]) continue;
    for (std::size_t p = 0; p < classes; ++p) {
      view.confusion[t * classes + p] = sums[t * classes + p] / n;
    }
  }
}

void read_bins(GroupView& view, const Runs& runs) {
  std::size_t bins = 0;
  double images = 0.0;
  for (const RunData* run : runs) {
    bins = std::max(bins, run->calibration.bins.size());
    for (const auto& bin : run->calibration.bins) images += static_cast<double>(bin.count);
  }
  view.bins.resize(bins);
  for (const RunData* run : runs) {
    for (std::size_t b = 0; b < run->calibration.bins.size(); ++b) {
      const auto& bin = run->calibration.bins[b];
      const double share = static_cast<double>(bin.count) / std::max(1.0, images);
      view.bins[b].share += share;
      view.bins[b].confidence += share * bin.confidence;
      view.bins[b].accuracy += share * bin.accuracy;
    }
  }
  for (ReliabilityBin& bin : view.bins) {
    if (!(bin.share > 0.0)) continue;
    bin.confidence /= bin.share;
    bin.accuracy /= bin.share;
  }
}

}  // namespace

GroupView view_of(const Runs& runs) {
  if (runs.empty()) throw InternalError("view of a group: no runs");
  std::vector<std::vector<std::size_t>> ranks;
  for (const RunData* run : runs) {
    ranks.push_back(ranks_of(*run));
    if (ranks.back().size() == ranks.front().size()) continue;
    throw DataError(concat(run->run.path, " has ", ranks.back().size(), " classes and ",
                           runs.front()->run.path, " ", ranks.front().size(),
                           ", but the same settings: their data are not the same"));
  }
  GroupView view;
  view.classes = classes_of(runs, ranks);
  view.loss = mean_curve(runs, &RunData::loss);
  view.accuracy = mean_curve(runs, &RunData::test);
  view.accuracy_set = "test";
  if (view.accuracy.size() < 2) {
    std::vector<PlotPoint> validation = mean_curve(runs, &RunData::validation);
    if (validation.size() > view.accuracy.size()) {
      view.accuracy = std::move(validation);
      view.accuracy_set = "validation";
    }
  }
  const bool predicted = std::none_of(runs.begin(), runs.end(),
                                      [](const RunData* run) { return run->confusion.empty(); });
  if (predicted) {
    read_confusion(view, runs, ranks);
    read_bins(view, runs);
  }
  return view;
}

}  // namespace smcl::report

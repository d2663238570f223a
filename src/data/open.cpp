#include "data/open.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "data/cifar.h"
#include "data/fingerprint.h"
#include "data/idx.h"
#include "data/lists.h"
#include "data/split.h"

namespace smcl::data {
namespace {

constexpr int kScenesClasses = 10;
constexpr int kScenesLargest = 1000;

std::vector<std::uint32_t> all_of(const Dataset& set) {
  std::vector<std::uint32_t> samples(set.size());
  std::iota(samples.begin(), samples.end(), 0U);
  return samples;
}

std::vector<std::int32_t> labels_of(const Dataset& set, std::span<const std::uint32_t> samples) {
  std::vector<std::int32_t> labels;
  labels.reserve(samples.size());
  for (const std::uint32_t sample : samples) labels.push_back(set.label(sample));
  return labels;
}

std::vector<int> count_labels(std::span<const std::int32_t> labels, int classes) {
  std::vector<int> counts(static_cast<std::size_t>(classes));
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

/// Counts by label for the profiles that are a formula. `largest` is n_max with what is left out
/// for validation already off.
std::vector<int> formula_counts(const DataSettings& settings, int classes, int largest) {
  if (settings.profile == "balanced") {
    return std::vector<int>(static_cast<std::size_t>(classes), largest);
  }
  const std::vector<int> by_rank = settings.profile == "step"
                                       ? step_counts(classes, largest, settings.ratio)
                                       : exponential_counts(classes, largest, settings.ratio);
  if (by_rank.back() < 1) {
    throw UsageError(concat("data.ratio = ", settings.ratio, " leaves the rarest class of ",
                            classes, " no image out of ", largest,
                            " of the largest: lower the ratio or raise data.n_max"));
  }
  return counts_by_label(by_rank, class_order(classes, settings.class_order_seed));
}

/// All images but those that are left out for validation.
std::vector<int> whole_counts(std::vector<int> counts, int val_per_class) {
  for (std::size_t label = 0; label < counts.size(); ++label) {
    counts[label] -= val_per_class;
    if (counts[label] > 0) continue;
    throw UsageError(concat("data.val_per_class = ", val_per_class, " leaves class ", label,
                            " no image to train on: it has ", counts[label] + val_per_class));
  }
  return counts;
}

std::vector<int> wanted_counts(const DataSettings& settings, const TrainTest& sets,
                               std::span<const std::int32_t> labels) {
  const int classes = sets.train->classes();
  if (settings.profile == "counts") return read_counts(settings.counts_file, classes);
  const std::vector<int> there = count_labels(labels, classes);
  // The smallest class, so that every order of classes can be had of a set that is not balanced.
  const auto [least, largest_there] = std::minmax_element(there.begin(), there.end());
  const int most = *least;
  if (most == 0) {
    throw DataError(concat("class ", least - there.begin(), " has no training image in ",
                           settings.dir.empty() ? settings.name : settings.dir,
                           ": expected at least one of each of ", classes,
                           " classes; are these the right files?"));
  }
  if (settings.profile == "all") return whole_counts(there, settings.val_per_class);
  if (settings.n_max == 0 && *largest_there > 2 * most) {
    log::warn(concat("the training set is long-tailed itself, ", most, " to ", *largest_there,
                     " images a class, and is cut to class sizes that start at ", most,
                     ": data.profile = \"all\" takes it as it is"));
  }
  const int largest = (settings.n_max > 0 ? settings.n_max : most) - settings.val_per_class;
  if (largest < 1) {
    throw UsageError(concat("data.val_per_class = ", settings.val_per_class,
                            " leaves no image to train on: the largest class starts with ",
                            largest + settings.val_per_class));
  }
  return formula_counts(settings, classes, largest);
}

void open_files(const DataSettings& settings, const TrainTest& sets, Opened& opened) {
  opened.train = sets.train;
  opened.test = sets.test;
  opened.height = sets.train->height();
  opened.width = sets.train->width();
  if (settings.profile == "indices") {
    opened.train_samples = read_indices(settings.indices_file, sets.train->size());
    return;
  }
  const std::vector<std::int32_t> labels = labels_of(*sets.train, all_of(*sets.train));
  Split split =
      long_tailed_split(labels, wanted_counts(settings, sets, labels), settings.val_per_class,
                        static_cast<std::uint32_t>(settings.split_seed));
  opened.train_samples = std::move(split.train);
  opened.validation_samples = std::move(split.validation);
  if (settings.val_per_class > 0) opened.validation = sets.train;
}

void open_scenes(const DataSettings& settings, Opened& opened) {
  const std::vector<int> counts =
      settings.profile == "counts"
          ? read_counts(settings.counts_file, kScenesClasses)
          : formula_counts(settings, kScenesClasses,
                           settings.n_max > 0 ? settings.n_max : kScenesLargest);
  opened.scenes = make_scenes(settings.scenes, counts);
  opened.train = opened.scenes->train;
  opened.validation = opened.scenes->validation;
  opened.test = opened.scenes->test;
  opened.height = kSceneSize;
  opened.width = kSceneSize;
  opened.train_samples = all_of(*opened.train);
  if (opened.validation != nullptr) opened.validation_samples = all_of(*opened.validation);
}

/// Accuracies are means over the classes that have test images.
void warn_of_untested(const Opened& opened) {
  const auto tested = count_labels(labels_of(*opened.test, opened.test_samples), opened.classes());
  const auto first = std::find(tested.begin(), tested.end(), 0);
  if (first == tested.end()) return;
  log::warn(concat(std::count(first, tested.end(), 0), " of ", opened.classes(),
                   " classes have no test image, the first of them '",
                   opened.train->class_names()[static_cast<std::size_t>(first - tested.begin())],
                   "': results say nothing of them"));
}

}  // namespace

std::vector<std::int32_t> Opened::train_labels() const {
  return labels_of(*train, train_samples);
}

Opened open_data(const DataSettings& settings) {
  check(settings);
  Opened opened;
  if (settings.name == "scenes") {
    open_scenes(settings, opened);
  } else if (settings.name == "idx") {
    open_files(settings, open_idx(settings.dir), opened);
  } else {
    const CifarKind kind = settings.name == "cifar100" ? CifarKind::cifar100 : CifarKind::cifar10;
    open_files(settings, open_cifar(settings.dir, kind), opened);
  }
  if (opened.train_samples.empty()) {
    throw DataError(concat("data.profile = \"", settings.profile, "\" of ", settings.name,
                           " gives no training image"));
  }
  opened.test_samples = all_of(*opened.test);
  if (opened.test_samples.empty()) {
    throw DataError(concat("the test set of ", settings.name,
                           settings.dir.empty() ? "" : concat(" in ", settings.dir),
                           " has no image: runs are judged on it"));
  }
  opened.train_counts = count_labels(opened.train_labels(), opened.classes());
  warn_of_untested(opened);
  opened.hash = fingerprint(settings, opened);
  return opened;
}

}  // namespace smcl::data

#include "metrics/bias.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/random.h"

namespace smcl::metrics {
namespace {

using PerClass = std::vector<std::optional<double>>;
using Kinds = std::vector<std::vector<int>>;

void check(const Predictions& predictions, std::span<const std::int32_t> kinds,
           std::span<const int> train_counts) {
  const std::size_t rows = predictions.size();
  const auto classes = static_cast<std::size_t>(predictions.classes);
  if (predictions.classes < 1 || predictions.logits.size() != rows * classes ||
      kinds.size() != rows || train_counts.size() != classes) {
    throw InternalError(concat("background bias: ", rows, " labels, ", predictions.logits.size(),
                               " logits, ", kinds.size(), " kinds, ", train_counts.size(),
                               " training counts for ", predictions.classes, " classes"));
  }
  for (std::size_t row = 0; row < rows; ++row) {
    if (predictions.labels[row] < 0 || predictions.labels[row] >= predictions.classes ||
        kinds[row] < 0) {
      throw InternalError(concat("background bias: label ", predictions.labels[row], " and kind ",
                                 kinds[row], " in row ", row));
    }
  }
  for (std::size_t i = 0; i < predictions.logits.size(); ++i) {
    if (!std::isfinite(predictions.logits[i])) {
      throw DataError(concat("background bias: logit of class ", i % classes, " in row ",
                             i / classes, " is ", predictions.logits[i],
                             ", expected a finite value; the network has diverged"));
    }
  }
}

void check_lists(const Kinds& lists, int classes, const char* name) {
  if (lists.size() != static_cast<std::size_t>(classes)) {
    throw InternalError(concat("background bias: ", name, " kinds of ", lists.size(),
                               " classes, expected ", classes));
  }
}

std::vector<Group> groups_of(std::span<const int> train_counts, const GroupBounds& bounds) {
  std::vector<Group> result;
  for (const int count : train_counts) result.push_back(shot_group(count, bounds));
  return result;
}

bool contains(const std::vector<int>& list, int kind) {
  return std::find(list.begin(), list.end(), kind) != list.end();
}

/// Which groups a class of group `group` counts for: all, many, medium, few, medium_few.
constexpr std::size_t kGroups = 5;
bool counts_for(std::size_t which, Group group) {
  switch (which) {
    case 0:
      return true;
    case 1:
      return group == Group::many;
    case 2:
      return group == Group::medium;
    case 3:
      return group == Group::few;
    default:
      return group != Group::many;
  }
}

template <class Groups>
auto& member(Groups& values, std::size_t which) {
  const std::array members{&values.all, &values.many, &values.medium, &values.few,
                           &values.medium_few};
  return *members[which];
}

/// Means over the classes of each group; `values` and `groups` may also go by object.
GroupValues group_means(const PerClass& values, const std::vector<Group>& groups) {
  GroupValues means;
  for (std::size_t which = 0; which < kGroups; ++which) {
    double sum = 0.0;
    int count = 0;
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (!values[c] || !counts_for(which, groups[c])) continue;
      sum += *values[c];
      ++count;
    }
    if (count > 0) member(means, which) = sum / count;
  }
  return means;
}

/// Rows of one object.
struct Object {
  std::size_t label = 0;
  std::vector<std::size_t> rows;
};

std::vector<Object> objects_of(const Predictions& predictions,
                               const std::vector<std::int32_t>& numbers) {
  if (numbers.size() != predictions.size()) {
    throw InternalError(concat("background bias: ", numbers.size(), " object numbers for ",
                               predictions.size(), " rows"));
  }
  std::map<std::int32_t, Object> found;
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const auto label = static_cast<std::size_t>(predictions.labels[row]);
    Object& object = found.try_emplace(numbers[row], Object{label, {}}).first->second;
    if (object.label != label) {
      throw InternalError(concat("background bias: object ", numbers[row], " has labels ",
                                 object.label, " and ", label));
    }
    object.rows.push_back(row);
  }
  std::vector<Object> objects;
  for (auto& [number, object] : found) objects.push_back(std::move(object));
  return objects;
}

/// Images and hits of an object, or of many, on the kinds of a list (0) and on the others (1).
struct Hits {
  std::array<int, 2> images{};
  std::array<int, 2> correct{};

  void add(const Hits& other) {
    for (std::size_t side : {0U, 1U}) {
      images[side] += other.images[side];
      correct[side] += other.correct[side];
    }
  }
  std::optional<double> gap() const {
    if (images[0] == 0 || images[1] == 0) return std::nullopt;
    return static_cast<double>(correct[0]) / images[0] -
           static_cast<double>(correct[1]) / images[1];
  }
};

/// hits[class][object of that class].
using HitTable = std::vector<std::vector<Hits>>;

HitTable hit_table(const Predictions& predictions, const BackgroundTruth& truth,
                   const std::vector<Object>& objects, const Kinds& lists) {
  HitTable table(static_cast<std::size_t>(predictions.classes));
  for (const Object& object : objects) {
    Hits hits;
    for (const std::size_t row : object.rows) {
      const std::size_t side = contains(lists[object.label], truth.kinds[row]) ? 0 : 1;
      ++hits.images[side];
      if (predictions.predicted(row) == predictions.labels[row]) ++hits.correct[side];
    }
    table[object.label].push_back(hits);
  }
  return table;
}

/// `pick(n)` gives the position of the next object out of n.
template <class Pick>
PerClass class_gaps(const HitTable& table, const Pick& pick) {
  PerClass gaps;
  for (const auto& objects : table) {
    Hits sum;
    for (std::size_t i = 0; i < objects.size(); ++i) sum.add(objects[pick(i, objects.size())]);
    gaps.push_back(sum.gap());
  }
  return gaps;
}

GroupIntervals intervals(const HitTable& table, const std::vector<Group>& groups,
                         const Bootstrap& bootstrap) {
  std::array<std::vector<double>, kGroups> draws;
  for (int b = 0; b < bootstrap.resamples; ++b) {
    RandomStream stream(bootstrap.seed, Purpose::bootstrap, 0, static_cast<std::uint64_t>(b));
    const GroupValues means =
        group_means(class_gaps(table,
                               [&](std::size_t, std::size_t n) {
                                 return stream.below(static_cast<std::uint32_t>(n));
                               }),
                    groups);
    for (std::size_t which = 0; which < kGroups; ++which) {
      if (const auto& mean = member(means, which)) draws[which].push_back(*mean);
    }
  }
  GroupIntervals result;
  const double tail = (1.0 - bootstrap.level) / 2.0;
  for (std::size_t which = 0; which < kGroups; ++which) {
    bool enough = !draws[which].empty();
    for (std::size_t c = 0; c < table.size(); ++c) {
      // A single object is drawn again and again: the interval would be a point.
      enough = enough && !(counts_for(which, groups[c]) && table[c].size() == 1);
    }
    if (!enough) continue;
    std::sort(draws[which].begin(), draws[which].end());
    member(result, which) =
        Interval{quantile(draws[which], tail), quantile(draws[which], 1.0 - tail)};
  }
  return result;
}

Gap gap_of(const HitTable& table, const std::vector<Group>& groups, const Bootstrap& bootstrap) {
  Gap gap;
  gap.per_class = class_gaps(table, [](std::size_t i, std::size_t) { return i; });
  gap.mean = group_means(gap.per_class, groups);
  gap.interval = intervals(table, groups, bootstrap);
  return gap;
}

GroupValues flips_of(const Predictions& predictions, const std::vector<Object>& objects,
                     const std::vector<Group>& groups) {
  PerClass flips;
  std::vector<Group> object_groups;
  for (const Object& object : objects) {
    std::map<std::int32_t, std::size_t> votes;
    for (const std::size_t row : object.rows) ++votes[predictions.predicted(row)];
    const std::size_t images = object.rows.size();
    std::size_t agreeing = 0;  // ordered pairs
    for (const auto& [label, count] : votes) agreeing += count * (count - 1);
    object_groups.push_back(groups[object.label]);
    if (images < 2) {
      flips.push_back(std::nullopt);
    } else {
      flips.push_back(1.0 -
                      static_cast<double>(agreeing) / static_cast<double>(images * (images - 1)));
    }
  }
  return group_means(flips, object_groups);
}

void few_to_many(const Predictions& predictions, const BackgroundTruth& truth,
                 const std::vector<Group>& groups, BackgroundBias& bias) {
  if (std::find(groups.begin(), groups.end(), Group::many) == groups.end()) return;
  std::array<int, 2> images{};
  std::array<int, 2> as_many{};
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const auto label = static_cast<std::size_t>(predictions.labels[row]);
    if (groups[label] != Group::few) continue;
    const std::size_t seen = contains(truth.seen[label], truth.kinds[row]) ? 1 : 0;
    ++images[seen];
    const auto predicted = static_cast<std::size_t>(predictions.predicted(row));
    if (groups[predicted] == Group::many) ++as_many[seen];
  }
  if (images[0] > 0) bias.few_to_many_unseen = static_cast<double>(as_many[0]) / images[0];
  if (images[1] > 0) bias.few_to_many_seen = static_cast<double>(as_many[1]) / images[1];
}

std::vector<double> softmax(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> result;
  double sum = 0.0;
  for (const float logit : logits) {
    result.push_back(std::exp(logit - largest));
    sum += result.back();
  }
  for (double& value : result) value /= sum;
  return result;
}

/// Mean and number of the values added.
struct Mean {
  double sum = 0.0;
  int count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  std::optional<double> value() const {
    if (count == 0) return std::nullopt;
    return sum / count;
  }
};

}  // namespace

BackgroundBias background_bias(const Predictions& predictions, const BackgroundTruth& truth,
                               std::span<const int> train_counts, const GroupBounds& bounds,
                               const Bootstrap& bootstrap) {
  check(predictions, truth.kinds, train_counts);
  check_lists(truth.preferred, predictions.classes, "preferred");
  check_lists(truth.seen, predictions.classes, "seen");
  const auto objects = objects_of(predictions, truth.objects);
  const auto groups = groups_of(train_counts, bounds);
  BackgroundBias bias;
  bias.gap = gap_of(hit_table(predictions, truth, objects, truth.preferred), groups, bootstrap);
  bias.gap_seen = gap_of(hit_table(predictions, truth, objects, truth.seen), groups, bootstrap);
  bias.flips = flips_of(predictions, objects, groups);
  few_to_many(predictions, truth, groups, bias);
  return bias;
}

PlainBias plain_bias(const Predictions& plain, std::span<const std::int32_t> kinds,
                     const std::vector<std::vector<int>>& seen, std::span<const int> train_counts,
                     const GroupBounds& bounds) {
  check(plain, kinds, train_counts);
  check_lists(seen, plain.classes, "seen");
  const auto groups = groups_of(train_counts, bounds);
  const auto classes = static_cast<std::size_t>(plain.classes);
  std::vector<std::array<Mean, 2>> of_class(classes);  // on kinds unseen, seen
  Mean many_mass;
  for (std::size_t row = 0; row < plain.size(); ++row) {
    const auto probability = softmax(std::span(plain.logits).subspan(row * classes, classes));
    double many = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      of_class[c][contains(seen[c], kinds[row]) ? 1 : 0].add(probability[c]);
      if (groups[c] == Group::many) many += probability[c];
    }
    many_mass.add(many);
  }
  Mean few;
  double many_images = 0.0;
  double images = 0.0;
  bool any_many = false;
  for (std::size_t c = 0; c < classes; ++c) {
    const auto unseen = of_class[c][0].value();
    const auto on_seen = of_class[c][1].value();
    if (groups[c] == Group::few && unseen && on_seen) few.add(*unseen - *on_seen);
    images += train_counts[c];
    if (groups[c] != Group::many) continue;
    many_images += train_counts[c];
    any_many = true;
  }
  PlainBias bias;
  bias.few_unseen_minus_seen = few.value();
  if (any_many && many_mass.count > 0 && images > 0.0) {
    bias.many_above_share = *many_mass.value() - many_images / images;
  }
  return bias;
}

}  // namespace smcl::metrics

#include "experiment/analysis_measures.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "metrics/group_mass.h"
#include "tensor/on_threads.h"

namespace smcl::experiment {
namespace {

using metrics::Group;
using Marks = std::vector<std::uint8_t>;

constexpr std::array kGroups{Group::many, Group::medium, Group::few};
constexpr std::array<const char*, 3> kGroupNames{"many", "medium", "few"};

Group group_of(const AnalysisData& what, std::int32_t label) {
  return metrics::shot_group(what.data.train_counts[static_cast<std::size_t>(label)], what.bounds);
}

/// One number an image, masked and unmasked, and what chance gives.
struct Pair {
  std::string key;
  std::string title;
  std::string group;
  record::Unit unit = record::Unit::share;
  std::vector<double> masked;
  std::vector<double> plain;
  std::optional<double> chance;        ///< of both
  std::optional<double> plain_chance;  ///< of the unmasked where it is another
  Marks counts;                        ///< images that count; empty: all
};

void add_pair(const Pair& pair, const metrics::RowBootstrap& bootstrap, MeasureList& list) {
  std::vector<double> change = pair.masked;
  for (std::size_t i = 0; i < change.size(); ++i) change[i] -= pair.plain[i];
  const auto of = [&](const char* key, const char* title) {
    record::Measure measure;
    measure.key = concat(pair.key, ".", key);
    measure.title = concat(pair.title, title);
    measure.group = pair.group;
    measure.unit = pair.unit;
    return measure;
  };
  record::Measure masked = of("masked", ", masked");
  masked.chance = pair.chance;
  list.add(masked, bootstrap.mean(pair.masked, pair.counts));
  record::Measure plain = of("unmasked", ", unmasked");
  plain.chance = pair.plain_chance ? pair.plain_chance : pair.chance;
  list.add(plain, bootstrap.mean(pair.plain, pair.counts));
  record::Measure changed = of("change", ", change by the mask");
  if (pair.unit == record::Unit::share) changed.unit = record::Unit::points;
  list.add(changed, bootstrap.mean(change, pair.counts));
}

/// A way in which a neighbour can agree with an image.
struct Agreeing {
  const char* key;
  const char* title;
  metrics::Categories categories;
  std::vector<std::int32_t> set_of;  ///< a query
  Marks counts;                      ///< queries that count; empty: all
};

/// One set a category: the category alone.
std::vector<Marks> singletons(int categories) {
  std::vector<Marks> sets(static_cast<std::size_t>(categories),
                          Marks(static_cast<std::size_t>(categories)));
  for (std::size_t c = 0; c < sets.size(); ++c) sets[c][c] = 1;
  return sets;
}

/// Every way on sets of any kind. Groups without a class are left out.
std::vector<Agreeing> class_ways(const AnalysisData& what, const Gallery& gallery,
                                 const Queries& queries) {
  const auto classes = what.data.train_counts.size();
  const std::vector<std::int32_t>& labels = queries.seen.masked.predictions.labels;
  const std::vector<std::int32_t> first(queries.images.size(), 0);
  const auto in_groups = [&](const auto& is_in) {
    Marks marks(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      marks[c] = is_in(group_of(what, static_cast<std::int32_t>(c))) ? 1 : 0;
    }
    return marks;
  };
  const auto any = [](const Marks& marks) {
    return std::find(marks.begin(), marks.end(), 1) != marks.end();
  };
  std::vector<Agreeing> ways;
  constexpr std::array<const char*, 3> kTitles{"in many-shot classes", "in medium-shot classes",
                                               "in few-shot classes"};
  for (std::size_t g = 0; g < kGroups.size(); ++g) {
    const Marks set = in_groups([&](Group group) { return group == kGroups[g]; });
    if (any(set)) ways.push_back({kGroupNames[g], kTitles[g], {gallery.labels, {set}}, first, {}});
  }
  const Marks rare = in_groups([](Group group) { return group != Group::many; });
  Marks of_many(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    of_many[i] = group_of(what, labels[i]) == Group::many ? 1 : 0;
  }
  if (any(rare) && any(of_many)) {
    ways.push_back({"medium_few_of_many",
                    "in medium and few-shot classes, of many-shot images",
                    {gallery.labels, {rare}},
                    first,
                    of_many});
  }
  const auto alone = singletons(static_cast<int>(classes));
  ways.push_back({"own_class", "in the image's class", {gallery.labels, alone}, labels, {}});
  // An image that is pulled to its own class tells nothing of other classes.
  Marks elsewhere(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    elsewhere[i] = queries.images.targets[i] != labels[i] ? 1 : 0;
  }
  if (any(elsewhere)) {
    ways.push_back({"target_class",
                    "in the target class",
                    {gallery.labels, alone},
                    queries.images.targets,
                    elsewhere});
  }
  return ways;
}

/// On sets that know their backgrounds.
std::vector<Agreeing> kind_ways(const AnalysisData& what, const Gallery& gallery,
                                const Queries& queries) {
  const data::Scenes* train = scenes_of(what.data, *what.data.train);
  const data::Scenes* set = scenes_of(what.data, *queries.images.set);
  if (train == nullptr || set == nullptr) return {};
  std::vector<std::int32_t> kinds;
  for (const std::uint32_t sample : gallery.samples) kinds.push_back(train->kind(sample, 0));
  std::vector<std::int32_t> own;
  for (const plan::ImageDraw& image : queries.images.images) {
    own.push_back(set->kind(image.index, 0));
  }
  std::vector<Marks> preferred;
  for (const auto& list : what.data.scenes->truth.preferred) {
    preferred.emplace_back(data::kSceneKinds);
    for (const int kind : list) preferred.back()[static_cast<std::size_t>(kind)] = 1;
  }
  return {{"own_kind",
           "on the image's kind of background",
           {kinds, singletons(data::kSceneKinds)},
           own,
           {}},
          {"preferred_kind",
           "on kinds that the image's class prefers",
           {kinds, preferred},
           queries.seen.masked.predictions.labels,
           {}}};
}

/// `counts` empty: all do.
double mean_of_counted(const std::vector<double>& values, const Marks& counts) {
  double sum = 0.0;
  double all = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!counts.empty() && counts[i] == 0) continue;
    sum += values[i];
    all += 1.0;
  }
  return sum / all;
}

}  // namespace

void MeasureList::add(record::Measure measure, const std::optional<metrics::Estimate>& estimate) {
  if (!estimate) return;
  measure.value = estimate->value;
  if (estimate->interval) {
    measure.low = estimate->interval->low;
    measure.high = estimate->interval->high;
  }
  add(std::move(measure));
}

const data::Scenes* scenes_of(const data::Opened& data, const data::Dataset& set) {
  if (!data.scenes) return nullptr;
  for (const auto* each : {data.scenes->train.get(), data.scenes->test.get()}) {
    if (each == &set) return each;
  }
  return nullptr;
}

metrics::RowBootstrap bootstrap_of(const AnalysisData& what, const Queries& queries,
                                   const metrics::Bootstrap& bootstrap) {
  const data::Scenes* set = scenes_of(what.data, *queries.images.set);
  std::vector<std::int32_t> units;
  for (const plan::ImageDraw& image : queries.images.images) {
    units.push_back(set != nullptr ? set->object(image.index)
                                   : static_cast<std::int32_t>(image.index));
  }
  return {units, queries.seen.masked.predictions.labels, bootstrap};
}

QueryNeighbours find_neighbours(const Gallery& gallery, const Queries& queries, int k) {
  const bool among_them = std::any_of(queries.own.begin(), queries.own.end(),
                                      [](std::int64_t own) { return own >= 0; });
  const metrics::NeighbourSearch search(gallery.unit, k, among_them ? 1 : 0);
  const auto of = [&](const Seen& seen) {
    const metrics::Features unit = metrics::unit_rows(seen.features, queries.title.c_str());
    metrics::Neighbours found = search.prepare(unit.size());
    tensor::on_threads(unit.size(), 16, [&](std::size_t begin, std::size_t end) {
      search.search(unit, queries.own, begin, end, found);
    });
    return found;
  };
  return {of(queries.seen.masked), of(queries.seen.plain)};
}

void add_neighbours(const AnalysisData& what, const Gallery& gallery, const Queries& queries,
                    const QueryNeighbours& neighbours, const metrics::RowBootstrap& bootstrap,
                    MeasureList& list) {
  std::vector<Agreeing> ways = class_ways(what, gallery, queries);
  for (Agreeing& way : kind_ways(what, gallery, queries)) ways.push_back(std::move(way));
  for (const Agreeing& way : ways) {
    const auto masked =
        metrics::agreement(neighbours.masked, way.categories, way.set_of, queries.own);
    const auto plain =
        metrics::agreement(neighbours.plain, way.categories, way.set_of, queries.own);
    Pair pair;
    pair.key = concat("neighbours.", queries.key, ".", way.key);
    pair.title = way.title;
    pair.group = concat("Nearest training images of masked ", queries.title);
    pair.masked = masked.share;
    pair.plain = plain.share;
    pair.chance = mean_of_counted(masked.chance, way.counts);
    pair.counts = way.counts;
    add_pair(pair, bootstrap, list);
  }
}

void add_similarity(const Gallery& gallery, const Queries& queries,
                    const metrics::RowBootstrap& bootstrap, MeasureList& list) {
  const std::vector<std::int32_t>& labels = queries.seen.masked.predictions.labels;
  const std::vector<std::int32_t>& targets = queries.images.targets;
  const metrics::ClassMeans means(gallery.unit, gallery.labels,
                                  queries.seen.masked.predictions.classes);
  const auto of = [&](const char* key, const char* title, const auto& classes, bool others) {
    Pair pair;
    pair.key = concat("similarity.", queries.key, ".", key);
    pair.title = title;
    pair.group = concat("Similarity of masked ", queries.title, " to classes");
    pair.unit = record::Unit::cosine;
    std::vector<double> masked_chance;
    std::vector<double> plain_chance;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      // An image that is its class's only one has nothing to be like.
      const bool counts =
          means.has(classes[i], queries.own[i]) && !(others && classes[i] == labels[i]);
      pair.counts.push_back(counts ? 1 : 0);
      const auto masked = queries.seen.masked.features.row(i);
      const auto plain = queries.seen.plain.features.row(i);
      pair.masked.push_back(means.cosine(masked, classes[i], queries.own[i]));
      pair.plain.push_back(means.cosine(plain, classes[i], queries.own[i]));
      const int without = others ? labels[i] : -1;
      masked_chance.push_back(means.mean_cosine(masked, queries.own[i], without));
      plain_chance.push_back(means.mean_cosine(plain, queries.own[i], without));
    }
    if (std::find(pair.counts.begin(), pair.counts.end(), 1) == pair.counts.end()) return;
    pair.chance = mean_of_counted(masked_chance, pair.counts);
    pair.plain_chance = mean_of_counted(plain_chance, pair.counts);
    add_pair(pair, bootstrap, list);
  };
  of("target", "cosine with the target class", targets, true);
  of("own", "cosine with the image's class", labels, false);
}

void add_mass(const AnalysisData& what, const Queries& queries,
              const metrics::RowBootstrap& bootstrap, MeasureList& list) {
  for (std::size_t g = 0; g < kGroups.size(); ++g) {
    const auto share = metrics::group_share(what.data.train_counts, what.bounds, kGroups[g]);
    if (!share) continue;
    const auto of = [&](const Seen& seen) {
      return metrics::group_mass(seen.predictions, what.data.train_counts, what.bounds, kGroups[g]);
    };
    Pair pair;
    pair.key = concat("mass.", queries.key, ".", kGroupNames[g]);
    pair.title = concat("probability of ", kGroupNames[g], "-shot classes");
    pair.group = concat("What the classifier says of masked ", queries.title);
    pair.masked = of(queries.seen.masked);
    pair.plain = of(queries.seen.plain);
    pair.chance = share;
    add_pair(pair, bootstrap, list);
  }
}

}  // namespace smcl::experiment

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/open.h"

namespace smcl::data {
namespace {

using Words = std::vector<std::pair<std::string, std::string>>;

const Words& names() {
  static const Words words{
      {"cifar10", "cifar10"}, {"cifar100", "cifar100"}, {"idx", "idx"}, {"scenes", "scenes"}};
  return words;
}

const Words& profiles() {
  static const Words words{{"exp", "exp"}, {"step", "step"},     {"balanced", "balanced"},
                           {"all", "all"}, {"counts", "counts"}, {"indices", "indices"}};
  return words;
}

void check_word(const std::string& key, const std::string& word, const Words& allowed) {
  std::string list;
  for (const auto& [name, same] : allowed) {
    if (word == name) return;
    list += (list.empty() ? "" : ", ") + name;
  }
  const std::string near = [&] {
    std::vector<std::string> plain;
    for (const auto& [name, same] : allowed) plain.push_back(name);
    return config::nearest(word, plain);
  }();
  throw UsageError(concat(key, " = \"", word, "\", expected one of ", list,
                          near.empty() ? "" : concat(" (did you mean ", near, "?)")));
}

void check_ranges(const DataSettings& settings) {
  if (!(settings.ratio >= 1.0) || settings.ratio > 1e6) {
    throw UsageError(concat("data.ratio = ", settings.ratio, ", expected 1 to 1e6"));
  }
  if (settings.n_max < 0) {
    throw UsageError(concat("data.n_max = ", settings.n_max, ", expected 0 (all) or more"));
  }
  if (settings.val_per_class < 0) {
    throw UsageError(
        concat("data.val_per_class = ", settings.val_per_class, ", expected 0 (none) or more"));
  }
  if (settings.split_seed > std::numeric_limits<std::uint32_t>::max()) {
    throw UsageError(concat("data.split_seed = ", settings.split_seed,
                            ", expected at most 4294967295 (the generator takes 32 bits)"));
  }
  if (settings.class_order_seed < -1) {
    throw UsageError(concat("data.class_order_seed = ", settings.class_order_seed,
                            ", expected -1 (label order) or more"));
  }
}

void check_files(const DataSettings& settings) {
  const auto file = [&](const char* key, const std::string& value, const char* profile) {
    const bool wanted = settings.profile == profile;
    if (wanted && value.empty()) {
      throw UsageError(concat("data.profile = \"", profile, "\" needs data.", key));
    }
    if (!wanted && !value.empty()) {
      throw UsageError(concat("data.", key, " is set, but data.profile = \"", settings.profile,
                              "\" does not read it: set data.profile = \"", profile,
                              "\" or remove it"));
    }
  };
  file("counts_file", settings.counts_file, "counts");
  file("indices_file", settings.indices_file, "indices");
}

void check_profile(const DataSettings& settings) {
  const DataSettings defaults;
  const std::string profile = concat("data.profile = \"", settings.profile, "\"");
  const bool from_file = settings.profile == "counts" || settings.profile == "indices";
  const bool fixed = from_file || settings.profile == "all";
  const bool has_ratio = settings.profile == "exp" || settings.profile == "step";
  const bool ratio_set = settings.ratio != defaults.ratio &&
                         !(settings.profile == "balanced" && settings.ratio == 1.0);
  if (!has_ratio && ratio_set) {
    throw UsageError(concat(profile, " has no use for data.ratio = ", settings.ratio,
                            ": remove it, or set data.profile = \"exp\" or \"step\""));
  }
  if (from_file && settings.n_max != 0) {
    throw UsageError(
        concat(profile, " takes its numbers from a file: remove data.n_max = ", settings.n_max));
  }
  if (settings.profile == "balanced" && settings.class_order_seed != -1) {
    throw UsageError(concat(profile, " has no rare classes, so data.class_order_seed = ",
                            settings.class_order_seed, " has no effect: set it to -1"));
  }
  if (settings.profile == "all" && settings.n_max != 0) {
    throw UsageError(concat(profile, " takes every image: remove data.n_max = ", settings.n_max));
  }
  if (fixed && settings.class_order_seed != -1) {
    throw UsageError(concat(
        profile, " is in label order: remove data.class_order_seed = ", settings.class_order_seed));
  }
  if (settings.profile == "indices" && settings.val_per_class != 0) {
    throw UsageError(concat(profile, " names the training images: data.val_per_class = ",
                            settings.val_per_class, " cannot be taken out of them; set it to 0"));
  }
  if (settings.profile == "indices" && settings.split_seed != 0) {
    throw UsageError(
        concat(profile, " leaves nothing to draw: remove data.split_seed = ", settings.split_seed));
  }
}

// A key that does nothing would make a sweep over it look like a spread of zero.
void check_scenes(const DataSettings& settings) {
  if (settings.name != "scenes") return;
  if (!settings.dir.empty()) {
    throw UsageError(concat("data.dir = \"", settings.dir,
                            "\" is not read by scenes: set scenes.fashion_dir or remove it"));
  }
  if (settings.profile == "indices" || settings.profile == "all") {
    throw UsageError(concat("data.profile = \"", settings.profile,
                            "\" does not go with scenes, whose training set has the wanted counts "
                            "already: use \"counts\""));
  }
  if (settings.val_per_class != 0) {
    throw UsageError(concat("data.val_per_class = ", settings.val_per_class,
                            " does not go with scenes, which have validation objects of their "
                            "own: set scenes.val_objects"));
  }
  if (settings.split_seed != 0) {
    throw UsageError(concat("data.split_seed = ", settings.split_seed,
                            " is not used by scenes: set scenes.seed"));
  }
}

}  // namespace

void bind(config::Binder& binder, DataSettings& settings) {
  binder.choice("data.name", settings.name, names(), "data set");
  binder.field("data.dir", settings.dir, "folder of the files, or its parent; not for scenes");
  binder.choice(
      "data.profile", settings.profile, profiles(),
      "form of the class sizes; all: as the set is; counts and indices are read from a file");
  binder.field("data.ratio", settings.ratio, {1.0, 1e6}, "largest over smallest class");
  binder.field("data.n_max", settings.n_max, {0, 1e9},
               "images of the largest class; 0: as many as every class has (scenes: 1000)");
  binder.field("data.counts_file", settings.counts_file, "one count a line, in label order");
  binder.field("data.indices_file", settings.indices_file, "one training position a line");
  binder.field("data.val_per_class", settings.val_per_class, {0, 1e9},
               "images a class taken out of the training set for validation; n_max falls by it");
  binder.field("data.split_seed", settings.split_seed, {0, 4294967295.0},
               "which images of a class are taken");
  binder.field("data.class_order_seed", settings.class_order_seed, {-1, 9007199254740991.0},
               "which classes are rare; -1: label order");
  bind(binder, settings.scenes);
}

void check(const DataSettings& settings) {
  check_word("data.name", settings.name, names());
  check_word("data.profile", settings.profile, profiles());
  check_ranges(settings);
  check_files(settings);
  check_profile(settings);
  check_scenes(settings);
}

}  // namespace smcl::data

#include "experiment/sweep.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/config_text.h"
#include "core/error.h"
#include "experiment/checkpoints.h"
#include "experiment/same_run.h"
#include "record/setting_kinds.h"
#include "record/sweep_file.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRuns = 100'000;

/// Settings of one run before its seed.
struct Cell {
  struct Assignment {
    std::string text;    ///< "key=TOML value"
    std::string origin;  ///< where it stands
  };
  fs::path recipe;                      ///< a file
  std::vector<Assignment> assignments;  ///< the later ones win
  std::string suffix;                   ///< of the run's name
};

void add(Cell& cell, const std::vector<std::string>& assignments, const char* origin) {
  for (const std::string& each : assignments) cell.assignments.push_back({each, origin});
}

/// The end of a key, or all of it where another key of the grid ends alike.
std::string short_key(const record::SweepFile& sweep, const std::string& key) {
  const std::string end = key.substr(key.rfind('.') + 1);
  const auto alike = [&](const auto& each) {
    return each.first != key && each.first.ends_with("." + end);
  };
  return std::ranges::any_of(sweep.grid, alike) ? key : end;
}

/// "-prob0.1" of mask.prob and 0.1, "-random" of mask.kind and "random": a part of a name, in
/// letters, digits, '-', '_' and '.'. Nothing of a seed: repetitions have one name.
std::string name_part(const record::SweepFile& sweep, const std::string& key,
                      const std::string& value) {
  if (record::is_seed(key)) return "";
  const bool word = value.front() == '"';
  const std::string text = word ? value : concat(short_key(sweep, key), value);
  std::string part = "-";
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    if (plain) {
      part += c;
    } else if (part.size() > 1 && part.back() != '_' && c != '"') {
      part += '_';
    }
  }
  while (part.back() == '_') part.pop_back();
  return part;
}

/// Every combination of the grid, the last key changing fastest.
std::vector<Cell> grid_cells(const record::SweepFile& sweep) {
  std::vector<Cell> cells(1);
  for (const auto& [key, values] : sweep.grid) {
    std::vector<Cell> more;
    for (const Cell& cell : cells) {
      for (const std::string& value : values) {
        Cell next = cell;
        add(next, {concat(key, "=", value)}, "[grid] of the sweep");
        next.suffix += name_part(sweep, key, value);
        more.push_back(std::move(next));
      }
    }
    cells = std::move(more);
    if (cells.size() > kMostRuns) throw UsageError("grid: more than 100000 combinations");
  }
  return cells;
}

std::vector<Cell> cells_of(const record::SweepFile& sweep, const fs::path& folder) {
  std::vector<Cell> cells;
  const std::vector<Cell> grid = grid_cells(sweep);
  for (const record::SweepFile::Variant& variant : sweep.variants) {
    const std::vector<std::string> recipes =
        variant.recipe.empty() ? sweep.recipes : std::vector<std::string>{variant.recipe};
    for (const std::string& recipe : recipes) {
      for (const Cell& combination : grid) {
        Cell& cell = cells.emplace_back();
        cell.recipe = folder / recipe;
        add(cell, sweep.assignments, "[set] of the sweep");
        add(cell, variant.assignments, "[[variant]] of the sweep");
        cell.assignments.insert(cell.assignments.end(), combination.assignments.begin(),
                                combination.assignments.end());
        add(cell, sweep.overrides, "--set, or [override] of the sweep");
        if (!variant.name.empty()) cell.suffix = concat("-", variant.name);
        cell.suffix += combination.suffix;
      }
    }
  }
  return cells;
}

/// Recipe files are read once.
class Recipes {
 public:
  const config::Document& of(const fs::path& file) {
    const auto [found, fresh] = read_.try_emplace(file.lexically_normal().string());
    if (fresh) found->second = config::Document::load(file);
    return found->second;
  }

 private:
  std::map<std::string, config::Document> read_;
};

std::string stem_of(const fs::path& file, const config::Document& document) {
  const auto name = document.entries().find("run.name");
  if (name != document.entries().end()) {
    if (const auto* text = std::get_if<std::string>(&name->second.value)) return *text;
  }
  return file.stem().string();
}

void set(config::Document& document, const Cell::Assignment& assignment) {
  config::Document one;
  one.set(assignment.text);
  auto entries = one.entries();
  for (auto& [key, entry] : entries) entry.origin = assignment.origin;
  document.merge(config::Document(std::move(entries)));
}

Recipe resolve(const Cell& cell, const record::SweepFile& sweep, std::uint64_t seed,
               Recipes& recipes) {
  config::Document document = recipes.of(cell.recipe);
  const std::string stem = stem_of(cell.recipe, document);
  if (!cell.suffix.empty()) document.set(concat("run.name=\"", stem, cell.suffix, "\""));
  for (const std::string& key : sweep.seed_keys) {
    set(document, {concat(key, "=", seed), "seeds of the sweep"});
  }
  for (const Cell::Assignment& assignment : cell.assignments) set(document, assignment);
  try {
    return resolve_recipe(document, stem);
  } catch (const UsageError& problem) {
    throw UsageError(concat(stem, cell.suffix, ", seed ", seed, ": ", problem.what()));
  }
}

/// Throws where a recipe would be trained twice by a slip of the pen.
void check_listed_once(const record::SweepFile& sweep) {
  std::set<std::string> seen;
  for (const std::string& recipe : sweep.recipes) {
    if (seen.insert(fs::path(recipe).lexically_normal().string()).second) continue;
    throw UsageError(concat("recipes: ", recipe, " is listed twice; leave one out"));
  }
}

/// Runs of one name are repetitions: they differ in a seed.
void check_names(const std::vector<SweepRun>& runs) {
  std::set<std::string> seen;
  for (const SweepRun& run : runs) {
    std::string mark = concat(run.recipe.name, ' ', run.seed);
    for (const config::Resolved& setting : run.recipe.resolved) {
      if (record::is_seed(setting.key)) mark += concat(' ', setting.key, '=', setting.value);
    }
    if (seen.insert(mark).second) continue;
    throw UsageError(concat("two variants of the sweep are called ", run.recipe.name,
                            ": give each [[variant]] a name and each recipe a run.name of its "
                            "own, and leave run.name out of [set] and --set"));
  }
}

void check_different(const std::vector<SweepRun>& runs) {
  std::map<std::string, const SweepRun*> first;
  for (const SweepRun& run : runs) {
    const auto [found, fresh] = first.emplace(mark_with_folders(run.recipe), &run);
    if (fresh) continue;
    const SweepRun& other = *found->second;
    throw UsageError(
        concat("two runs of the sweep have the same settings: ", other.recipe.name, " and ",
               run.recipe.name, ", seed ", run.seed,
               other.seed != run.seed
                   ? ": all of seed_keys are set elsewhere too, so that seeds change nothing; "
                     "leave that out, or change seed_keys"
                   : ": leave one out"));
  }
}

bool has_stage(const Recipe& recipe) {
  return recipe.stage.name != method::StageName::none;
}

/// The last epoch up to whose beginning two recipes do the same, from 0; a second stage can begin
/// from the end of another run.
int branch_epoch(const Recipe& trunk, const Recipe& run) {
  const int most = std::min(trunk.train.epochs, run.train.epochs - (has_stage(run) ? 0 : 1));
  return shared_epochs(trunk, run, most);
}

struct Branching {
  std::optional<std::size_t> trunk;
  int epoch = 0;
};

/// For each run of one seed the earlier one with which it shares most.
std::vector<Branching> branchings(const std::vector<const Recipe*>& recipes) {
  std::vector<Branching> found(recipes.size());
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const int shared = branch_epoch(*recipes[j], *recipes[i]);
      if (shared > found[i].epoch) found[i] = {j, shared};
    }
  }
  return found;
}

/// Trunks keep the checkpoints that their branches need.
void keep_checkpoint(Recipe& trunk, int epoch) {
  std::vector<int> kept = kept_epochs(trunk);
  const bool there = std::find(kept.begin(), kept.end(), epoch) != kept.end();
  if (there || epoch >= trunk.train.epochs) return;  // its end stays by itself
  kept.push_back(epoch);
  std::sort(kept.begin(), kept.end());
  trunk.checkpoint.keep.clear();
  std::string text;
  for (const int each : kept) {
    trunk.checkpoint.keep.push_back({static_cast<double>(each), false});
    text += concat(text.empty() ? "" : ", ", each);
  }
  for (config::Resolved& setting : trunk.resolved) {
    if (setting.key != "checkpoint.keep") continue;
    setting.value = concat("[", text, "]");
    setting.origin = "sweep: branches begin there";
  }
}

/// All seeds have the same variants, so what holds of the first holds of each.
void plan_branches(SweepPlan& plan) {
  std::vector<const Recipe*> first;
  for (std::size_t v = 0; v < plan.variants; ++v) first.push_back(&plan.runs[v].recipe);
  const std::vector<Branching> found = branchings(first);
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const std::size_t variant = i % plan.variants;
    const Branching& branching = found[variant];
    if (!branching.trunk) continue;
    plan.runs[i].trunk = i - variant + *branching.trunk;
    plan.runs[i].branch_epoch = branching.epoch;
    plan.saved += branching.epoch;
    keep_checkpoint(plan.runs[*plan.runs[i].trunk].recipe, branching.epoch);
  }
}

/// Those of the file and those of the options, of one key the last: a table can hold no other.
std::vector<std::string> overrides_of(const record::SweepFile& sweep, const SweepOptions& options) {
  config::Document all;
  for (const auto* more : {&sweep.overrides, &options.overrides}) {
    for (const std::string& assignment : *more) all.set(assignment);
  }
  std::vector<std::string> overrides;
  for (const auto& [key, entry] : all.entries()) {
    overrides.push_back(concat(key, "=", config::to_text(entry.value)));
  }
  return overrides;
}

/// The sweep with flat copies of its recipes beside it, which need no other file.
void write_files(SweepPlan& plan, record::SweepFile sweep, const fs::path& folder,
                 Recipes& recipes) {
  std::map<std::string, std::string> names;  // of copies, by path
  std::set<std::string> taken;
  const auto copy = [&](std::string& path) {
    const fs::path file = folder / path;
    const auto [found, fresh] = names.try_emplace(file.lexically_normal().string());
    if (fresh) {
      const std::string stem = file.stem().string();
      std::string name = concat("recipes/", stem, ".toml");
      for (int n = 2; !taken.insert(name).second; ++n)
        name = concat("recipes/", stem, "-", n, ".toml");
      found->second = name;
      const auto& entries = recipes.of(file).entries();
      std::string text;
      // The copy may have another name than the file, which the runs are called by.
      if (!entries.contains("run.name")) text = concat("run.name = ", config::quote(stem), "\n");
      for (const auto& [key, entry] : entries) {
        text += concat(key, " = ", config::in_lines(config::to_text(entry.value)), "\n");
      }
      plan.files.emplace_back(name, text);
    }
    path = found->second;
  };
  for (std::string& recipe : sweep.recipes) copy(recipe);
  for (record::SweepFile::Variant& variant : sweep.variants) {
    if (!variant.recipe.empty()) copy(variant.recipe);
  }
  plan.files.insert(plan.files.begin(), {"sweep.toml", record::to_toml(sweep)});
}

}  // namespace

SweepPlan plan_sweep(const fs::path& file, const SweepOptions& options) {
  record::SweepFile sweep = record::read_sweep(file);
  record::check_name(sweep.name, "a sweep");
  sweep.overrides = overrides_of(sweep, options);
  check_listed_once(sweep);
  const fs::path folder = file.parent_path();
  const std::vector<Cell> cells = cells_of(sweep, folder);
  if (cells.size() * sweep.seeds.size() > kMostRuns) {
    throw UsageError(concat(file.string(), ": ", cells.size() * sweep.seeds.size(),
                            " runs; at most ", kMostRuns));
  }
  SweepPlan plan;
  plan.name = sweep.name;
  plan.variants = cells.size();
  plan.seeds = sweep.seeds.size();
  Recipes recipes;
  for (const std::uint64_t seed : sweep.seeds) {
    for (const Cell& cell : cells) {
      SweepRun& run = plan.runs.emplace_back();
      run.recipe = resolve(cell, sweep, seed, recipes);
      record::check_name(run.recipe.name, "a run");
      run.seed = seed;
      run.epochs = run.recipe.all_epochs();
      plan.epochs += run.epochs;
    }
  }
  check_different(plan.runs);
  check_names(plan.runs);
  if (options.branch) plan_branches(plan);
  write_files(plan, std::move(sweep), folder, recipes);
  return plan;
}

std::vector<std::pair<std::string, std::string>> alike_variants(const SweepPlan& plan) {
  constexpr std::size_t kMostCompared = 500;  // each with each other: half a second
  std::vector<std::pair<std::string, std::string>> alike;
  for (std::size_t i = 0; i < std::min(plan.variants, kMostCompared); ++i) {
    const Recipe& run = plan.runs[i].recipe;
    for (std::size_t j = 0; j < i; ++j) {
      const Recipe& other = plan.runs[j].recipe;
      const int epochs = run.train.epochs;
      if (has_stage(run) || has_stage(other) || other.train.epochs != epochs) continue;
      if (shared_epochs(other, run, epochs) < epochs) continue;
      alike.emplace_back(other.name, run.name);
      break;
    }
  }
  return alike;
}

}  // namespace smcl::experiment

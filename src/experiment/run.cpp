#include "experiment/run.h"

#include <chrono>

#include "batch/loader.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/recorder.h"
#include "experiment/scene_measures.h"
#include "experiment/summary.h"
#include "format/file.h"
#include "plan/planner.h"
#include "tensor/runtime.h"
#include "train/evaluate.h"

namespace smcl::experiment {
namespace {

std::vector<train::EvaluationSet> evaluation_sets(const Recipe& recipe, const data::Opened& data) {
  std::vector<train::EvaluationSet> sets;
  const auto add = [&](const std::string& name, int every,
                       const std::shared_ptr<const data::Dataset>& set,
                       const std::vector<std::uint32_t>& samples) {
    if (set == nullptr || samples.empty()) return;
    sets.push_back({name, every, [&samples, set, &data](nn::Network& network) {
                      return train::evaluate(network, *set, samples, data.normalisation);
                    }});
  };
  add("val", recipe.train.val_every, data.validation, data.validation_samples);
  add("test", recipe.train.test_every, data.test, data.test_samples);
  return sets;
}

nlohmann::json fingerprint(const Recipe& recipe, const data::Opened& data) {
  nlohmann::json out = record::base_fingerprint();
  const tensor::RuntimeInfo info = tensor::runtime_info();
  out["libtorch"] = info.torch_version;
  out["threads"] = info.threads;
  out["device"] = "cpu";
  out["precision"] = recipe.runtime.precision;
  out["data_hash"] = data.hash;
  out["started_at"] = utc_now();
  return out;
}

/// What makes two runs the same experiment: settings, and the data themselves, since paths are no
/// part of the settings.
std::string run_hash(const Recipe& recipe, const data::Opened& data) {
  return format::sha256(recipe.settings_hash() + data.hash);
}

record::RunFolder start_folder(const Recipe& recipe, const RunOptions& options,
                               const data::Opened& data) {
  record::RunFolder folder = record::RunFolder::create(options.root, recipe.name);
  const std::string hash = run_hash(recipe, data);
  folder.write_config(config::to_toml(recipe.resolved, true), hash);
  nlohmann::json marks = fingerprint(recipe, data);
  marks["settings_hash"] = hash;
  folder.write_fingerprint(marks);
  log::set_file(folder.log_file());
  log::info(concat("run folder ", folder.path().string()));
  return folder;
}

/// The run that makes training unnecessary, if there is one.
std::optional<RunResult> finished_run(const Recipe& recipe, const RunOptions& options,
                                      const data::Opened& data) {
  if (options.always_new) return std::nullopt;
  auto found = record::RunFolder::find(options.root, recipe.name, run_hash(recipe, data));
  if (!found) return std::nullopt;
  if (found->finished()) return RunResult{*found, found->summary(), true};
  log::warn(
      concat(found->path().string(),
             " has the same settings but is not finished; starting again under a new number"));
  return std::nullopt;
}

}  // namespace

RunResult train_recipe(const Recipe& recipe, const RunOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const data::Opened data = data::open_data(recipe.data);
  if (auto done = finished_run(recipe, options, data)) return *std::move(done);
  tensor::prepare_runtime(recipe.runtime.threads);
  const auto planner = std::make_shared<const plan::Planner>(
      recipe.planner_settings(), data.train_samples, data.train_labels(), data.classes());
  nn::Network network(recipe.network, data.classes(), recipe.train.seed, recipe.precision(),
                      at::kCPU);
  const auto method = method::make_method(recipe.method, recipe.train.epochs, data.train_counts,
                                          planner->target_probabilities());
  batch::Loader loader(planner, recipe.executor_settings(data.normalisation), *data.train,
                       recipe.runtime.loader_threads, 3);

  record::RunFolder folder = start_folder(recipe, options, data);
  Recorder recorder(recipe, folder, network, data.train_counts, data.validation != nullptr);
  train::Parts parts{network,    *method, *planner, loader, evaluation_sets(recipe, data),
                     {&recorder}};
  parts.observers.insert(parts.observers.end(), options.observers.begin(), options.observers.end());
  if (!train::run(recipe.train, parts)) {
    throw InternalError(concat("the run in ", folder.path().string(), " was stopped"));
  }

  nlohmann::json summary = recorder.summary();
  summary["recipe"] = recipe.name;
  summary["settings_hash"] = run_hash(recipe, data);
  summary["data_hash"] = data.hash;
  summary["class_names"] = data.train->class_names();
  if (data.scenes) {
    const data::SceneSets& scenes = *data.scenes;
    summary["bias"] = scene_bias(*scenes.test, scenes.truth, recorder.test_predictions(),
                                 data.train_counts, recipe.groups);
    summary["bias"]["background_only"] = background_only(scenes, network, data, recipe.groups);
    if (recorder.validation_predictions().size() > 0) {
      summary["validation"]["bias"] =
          scene_bias(*scenes.validation, scenes.truth, recorder.validation_predictions(),
                     data.train_counts, recipe.groups);
    }
  }
  summary["seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  store_predictions(folder.predictions_file("test"), recorder.test_predictions());
  folder.write_summary(summary);
  log::set_file({});
  return {folder, summary, false};
}

Recipe recipe_of(const record::RunFolder& folder) {
  const auto file = folder.path() / "config.toml";
  return resolve_recipe(config::Document::parse(folder.config(), file.string()), "run");
}

nn::Network load_network(const record::RunFolder& folder, const Recipe& recipe, int classes,
                         const std::string& which) {
  nn::Network network(recipe.network, classes, recipe.train.seed, recipe.precision(), at::kCPU);
  network.load_weights(folder.weights_file(which).string());
  return network;
}

}  // namespace smcl::experiment

#include "experiment/run.h"

#include <chrono>

#include "batch/loader.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/recorder.h"
#include "experiment/scene_measures.h"
#include "experiment/summary.h"
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

batch::ExecutorSettings executor_settings(const Recipe& recipe, const data::Opened& data) {
  batch::ExecutorSettings settings;
  settings.augment = recipe.augment;
  settings.mask = recipe.planner_settings().mask;
  settings.lambda = recipe.lambda;
  settings.normalisation = data.normalisation;
  settings.precision = recipe.precision();
  return settings;
}

record::RunFolder start_folder(const Recipe& recipe, const RunOptions& options,
                               const data::Opened& data) {
  record::RunFolder folder = record::RunFolder::create(options.root, recipe.name);
  folder.write_config(config::to_toml(recipe.resolved, true), recipe.settings_hash());
  nlohmann::json marks = fingerprint(recipe, data);
  marks["settings_hash"] = recipe.settings_hash();
  folder.write_fingerprint(marks);
  log::set_file(folder.log_file());
  log::info(concat("run folder ", folder.path().string()));
  return folder;
}

/// The run that makes training unnecessary, if there is one.
/// Paths are no part of the settings, so the data themselves are compared too.
std::optional<RunResult> finished_run(const Recipe& recipe, const RunOptions& options,
                                      const data::Opened& data) {
  if (options.always_new) return std::nullopt;
  auto found = record::RunFolder::find(options.root, recipe.name, recipe.settings_hash());
  if (!found) return std::nullopt;
  if (found->fingerprint().value("data_hash", "") != data.hash) {
    log::warn(concat(found->path().string(),
                     " has the same settings but was trained on other data; training anew"));
    return std::nullopt;
  }
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
  batch::Loader loader(planner, executor_settings(recipe, data), *data.train,
                       recipe.runtime.loader_threads, 3);

  record::RunFolder folder = start_folder(recipe, options, data);
  Recorder recorder(recipe, folder, network, data.train_counts, data.validation != nullptr);
  train::Parts parts{network,    *method, *planner, loader, evaluation_sets(recipe, data),
                     {&recorder}};
  parts.observers.insert(parts.observers.end(), options.observers.begin(), options.observers.end());
  train::run(recipe.train, parts);

  nlohmann::json summary = recorder.summary();
  summary["recipe"] = recipe.name;
  summary["data_hash"] = data.hash;
  summary["class_names"] = data.train->class_names();
  if (data.scenes) {
    const data::SceneSets& scenes = *data.scenes;
    summary["bias"] = scene_bias(*scenes.test, scenes.truth, recorder.test_predictions(),
                                 data.train_counts, recipe.groups);
    summary["bias"]["background_only"] = background_only(scenes, network, data, recipe.groups);
    summary["validation"]["bias"] =
        scene_bias(*scenes.validation, scenes.truth, recorder.validation_predictions(),
                   data.train_counts, recipe.groups);
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

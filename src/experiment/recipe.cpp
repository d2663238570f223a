#include "experiment/recipe.h"

#include <algorithm>
#include <cctype>

#include "core/cpu.h"
#include "core/error.h"
#include "experiment/check.h"
#include "format/file.h"
#include "record/setting_kinds.h"
#include "tensor/gpu.h"

namespace smcl::experiment {
namespace {

const std::string kAuto = "auto";

void bind(config::Binder& binder, metrics::GroupBounds& bounds) {
  binder.field("groups.many_above", bounds.many_above, {0, 1e9},
               "a class with more training images is of the many-shot group");
  binder.field("groups.few_below", bounds.few_below, {0, 1e9},
               "a class with fewer training images is of the few-shot group");
  if (bounds.few_below > bounds.many_above + 1) {
    throw UsageError(concat("groups.few_below = ", bounds.few_below,
                            " lies above groups.many_above = ", bounds.many_above,
                            ": the groups would overlap"));
  }
}

void bind(config::Binder& binder, RuntimeSettings& runtime) {
  const std::vector<std::pair<std::string, std::string>> devices{
      {"auto", "auto"}, {"cpu", "cpu"}, {"cuda", "cuda"}};
  binder.choice("run.device", runtime.device, devices,
                "that trains; auto: cuda where there is a usable GPU");
  const std::vector<std::pair<std::string, std::string>> words{
      {"auto", "auto"}, {"fp32", "fp32"}, {"bf16", "bf16"}};
  binder.choice("run.precision", runtime.precision, words,
                "of the network's arithmetic; auto: bf16 on a GPU and where the CPU gains from it");
  binder.field("run.threads", runtime.threads, {0, 4096},
               "of the network's arithmetic; 0 = as many as the process may use");
  binder.field("run.loader_threads", runtime.loader_threads, {0, 256},
               "that make batches ahead; 0 = in the training thread");
  binder.field("run.deterministic", runtime.deterministic,
               "on a GPU: the same bits in each run, slower (a CPU always gives them)");
  binder.field("run.graph", runtime.graph,
               "on a GPU: steps are recorded once and replayed; off: launched one by one, slower");
  binder.field("run.tensorboard", runtime.tensorboard,
               "write what metrics.jsonl has as an event file of TensorBoard too");
}

/// Every section of the document, unchecked but for types and ranges.
Recipe bound(const config::Document& document, const std::string& name) {
  Recipe recipe;
  recipe.name = name;
  config::Binder binder(document);
  binder.field("run.name", recipe.name, "of the run folder");
  bind(binder, recipe.data);
  bind(binder, recipe.network);
  bind(binder, recipe.method);
  recipe.network.prototypes = method::needs_of(recipe.method).prototypes;
  bind(binder, recipe.augment);
  bind(binder, recipe.mask);
  bind(binder, recipe.lambda);
  bind(binder, recipe.target);
  bind(binder, recipe.mix);
  bind(binder, recipe.train);
  bind(binder, recipe.stage);
  bind(binder, recipe.groups);
  bind(binder, recipe.checkpoint);
  bind(binder, recipe.runtime);
  binder.finish();
  recipe.resolved = binder.resolved();
  return recipe;
}

/// bf16 gains on AMX and on AMD's AVX512_BF16; on Intel without AMX it is slower than fp32,
/// since its vdpbf16ps runs at half the rate of fp32.
bool bf16_gains() {
  __builtin_cpu_init();
  if (!cpu_supports(Isa::avx512_bf16) || best_isa() != Isa::avx512_bf16) return false;
  return __builtin_cpu_is("amd") || cpu_has_amx();
}

/// Gives a setting the value that `auto` stands for here, so that the run folder says what was
/// computed.
void settle(Recipe& recipe, const std::string& key, const std::string& value,
            const std::string& origin) {
  for (config::Resolved& setting : recipe.resolved) {
    if (setting.key != key) continue;
    setting.value = '"' + value + '"';
    setting.origin = origin;
  }
}

void settle_runtime(Recipe& recipe) {
  RuntimeSettings& runtime = recipe.runtime;
  if (runtime.device == "auto") {
    runtime.device = tensor::find_gpu().gpu == nullptr ? "cpu" : "cuda";
    settle(recipe, "run.device", runtime.device, kAuto);
  }
  if (runtime.precision == "auto") {
    runtime.precision = runtime.device == "cuda" || bf16_gains() ? "bf16" : "fp32";
    settle(recipe, "run.precision", runtime.precision,
           concat(kAuto, ", for this ", runtime.device == "cuda" ? "GPU" : "CPU"));
  }
}

/// Whether a setting came after 0.1.0 and has the value that stands for what went before: runs of
/// that version keep their hash.
bool is_new_default(const config::Resolved& setting) {
  const std::string& key = setting.key;
  const bool augments =
      key.starts_with("augment.") && key != "augment.crop_padding" && key != "augment.flip";
  if (!augments && !key.starts_with("loss.") && !key.starts_with("mix.") &&
      !key.starts_with("stage.") && key != "network.classifier" && key != "network.scale" &&
      key != "network.head_hidden") {
    return false;
  }
  const auto& all = default_settings();
  return std::any_of(all.begin(), all.end(), [&](const config::Resolved& each) {
    return each.key == setting.key && each.value == setting.value;
  });
}

}  // namespace

batch::Precision Recipe::precision() const {
  return runtime.precision == "bf16" ? batch::Precision::bf16 : batch::Precision::fp32;
}

plan::PlannerSettings Recipe::planner_settings() const {
  const method::Needs needs = method::needs_of(method);
  plan::PlannerSettings settings;
  settings.seed = train.seed;
  settings.epochs = train.epochs;
  settings.batch_size = train.batch_size;
  settings.augment = augment;
  settings.mask = mask;
  if (!needs.masks) settings.mask.prob = 0.0;
  settings.target = target;
  settings.target_classes = needs.target_classes;
  settings.target_images = needs.target_images;
  settings.contrast_warm_up = method.warm_up;
  settings.mix = mix;
  settings.mixing = needs.mixing;
  settings.views = needs.views;
  if (method.rule == method::Rule::resample || method.rule == method::Rule::drs) {
    settings.resample_from = method::first_rule_epoch(method, train.epochs);
    settings.resample_b = method.rule_b;
  }
  return settings;
}

batch::ExecutorSettings Recipe::executor_settings(const data::Normalisation& normalisation) const {
  batch::ExecutorSettings settings;
  settings.augment = augment;
  settings.mask = mask;
  settings.lambda = lambda;
  settings.normalisation = normalisation;
  settings.precision = precision();
  settings.mix = method::needs_of(method).mixing.kind;
  return settings;
}

plan::PlannerSettings Recipe::stage_planner_settings() const {
  plan::PlannerSettings settings;
  settings.seed = train.seed;
  settings.epochs = all_epochs();
  settings.batch_size = stage.batch_size > 0 ? stage.batch_size : train.batch_size;
  settings.augment = augment;
  settings.mask.prob = 0.0;
  settings.resample_from = train.epochs;
  settings.resample_b = 1.0;  // images weigh 1 / n_k, so that classes weigh alike
  return settings;
}

batch::ExecutorSettings Recipe::stage_executor_settings(
    const data::Normalisation& normalisation) const {
  batch::ExecutorSettings settings;
  settings.augment = augment;
  settings.mask.prob = 0.0;
  settings.normalisation = normalisation;
  settings.precision = precision();
  return settings;
}

train::OptimiserSettings Recipe::stage_optimiser() const {
  train::OptimiserSettings settings = train.optimiser;
  if (!stage.momentum.args.empty()) settings.momentum = stage.momentum.args[0];
  if (!stage.weight_decay.args.empty()) settings.weight_decay = stage.weight_decay.args[0];
  return settings;
}

std::string Recipe::settings_hash() const {
  std::vector<config::Resolved> kept;
  for (const config::Resolved& setting : resolved) {
    if (record::is_of_execution(setting.key) || is_new_default(setting)) continue;
    kept.push_back(setting);
  }
  return format::sha256(config::to_toml(kept, false));
}

bool Recipe::device_was_auto() const {
  return std::any_of(resolved.begin(), resolved.end(), [](const config::Resolved& setting) {
    return setting.key == "run.device" && setting.origin == kAuto;
  });
}

std::optional<Recipe> Recipe::with_other_precision() const {
  const auto found = std::find_if(resolved.begin(), resolved.end(), [](const auto& setting) {
    return setting.key == "run.precision" && setting.origin.starts_with(kAuto);
  });
  if (found == resolved.end()) return std::nullopt;
  Recipe other = *this;
  other.runtime.precision = runtime.precision == "bf16" ? "fp32" : "bf16";
  settle(other, found->key, other.runtime.precision, found->origin);
  return other;
}

namespace {

/// Whether `text` speaks of the setting: its key stands there as a word.
bool speaks_of(const std::string& text, const std::string& key) {
  const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; };
  for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    const std::size_t end = at + key.size();
    if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) {
      return true;
    }
  }
  return false;
}

/// Runs `work`; what it refuses says where the settings that it speaks of were set.
template <class Work>
auto telling_origins(const config::Document& document, Work work) {
  try {
    return work();
  } catch (const UsageError& problem) {
    const std::string text = problem.what();
    const std::string said = text.substr(0, text.find("did you mean"));
    std::string origins;
    for (const auto& [key, entry] : document.entries()) {
      if (!speaks_of(said, key) || text.find(entry.origin) != std::string::npos) continue;
      origins += concat(origins.empty() ? "" : ", ", key, ": ", entry.origin);
    }
    throw UsageError(origins.empty() ? text : concat(text, " (", origins, ")"));
  }
}

}  // namespace

const std::vector<config::Resolved>& default_settings() {
  static const std::vector<config::Resolved> settings = bound({}, "").resolved;
  return settings;
}

Recipe resolve_stored(const config::Document& document, const std::string& name) {
  return telling_origins(document, [&] {
    Recipe recipe = bound(document, name);
    const bool plain_name =
        !recipe.name.empty() && recipe.name.front() != '.' &&
        std::all_of(recipe.name.begin(), recipe.name.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
        });
    if (!plain_name) {
      throw UsageError(
          concat("run.name = '", recipe.name,
                 "': expected letters, digits, '-', '_' and '.', not starting with '.'; without "
                 "run.name the file gives it"));
    }
    settle_runtime(recipe);
    check_recipe(recipe);
    return recipe;
  });
}

Recipe resolve_recipe(const config::Document& document, const std::string& name) {
  Recipe recipe = resolve_stored(document, name);
  telling_origins(document, [&] { check_choices(recipe); });
  return recipe;
}

Recipe load_recipe(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  config::Document document = config::Document::load(file);
  for (const std::string& assignment : overrides) document.set(assignment);
  return resolve_recipe(document, file.stem().string());
}

}  // namespace smcl::experiment

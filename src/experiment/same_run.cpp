#include "experiment/same_run.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "record/setting_kinds.h"
#include "train/schedule.h"

namespace smcl::experiment {
namespace {

using record::is_of_execution;

bool may_change(const std::string& key) {
  return is_of_execution(key) || key == "train.epochs" || key.starts_with("eval.");
}

int steps_done_in(const train::RunPoint& point) {
  return point.step > 0 ? point.epoch + 1 : point.epoch;
}

/// Whether something that begins at these two epochs was alike up to `epoch`.
bool same_until(int before, int now, int epoch) {
  return before == now || (before >= epoch && now >= epoch);
}

bool any_mask(const Recipe& recipe) {
  const bool masks = method::needs_of(recipe.method).masks && recipe.mask.prob > 0;
  return masks || recipe.mask.cutout_prob > 0;
}

bool any_contrast(const Recipe& recipe) {
  const method::Needs needs = method::needs_of(recipe.method);
  return recipe.method.mu > 0 &&
         (needs.views > 0 || needs.target_images != plan::TargetImages::never);
}

bool any_mixing(const Recipe& recipe) {
  return method::needs_of(recipe.method).mixing.kind != plan::MixKind::none && recipe.mix.prob > 0;
}

/// Whether the contrastive part begins with the masks, or contrast.warm_up epochs before.
bool contrast_waits(const Recipe& recipe) {
  return method::needs_of(recipe.method).masks && any_contrast(recipe) &&
         recipe.method.when != method::ContrastWhen::always;
}

/// What the epochs' number moves. Throws UsageError where it would have changed the past.
void check_same_past(const Recipe& before, const Recipe& now, const train::RunPoint& point) {
  const int done = steps_done_in(point);
  const int old_epochs = before.train.epochs;
  const int epochs = now.train.epochs;
  if (epochs == old_epochs) return;
  std::string moved;
  for (int epoch = 0; epoch < std::min(done, epochs) && moved.empty(); ++epoch) {
    if (train::learning_rate(before.train.schedule, epoch, old_epochs) !=
        train::learning_rate(now.train.schedule, epoch, epochs)) {
      moved = concat("the learning rate of epoch ", epoch);
    }
  }
  const int lead = contrast_waits(now) ? now.method.warm_up : 0;
  if ((any_mask(now) || contrast_waits(now)) &&
      !same_until(now.mask.start.epoch(old_epochs) - lead, now.mask.start.epoch(epochs) - lead,
                  done)) {
    moved = "mask.start";
  }
  const auto same_moment = [&](const config::Moment& moment) {
    return same_until(moment.epoch(old_epochs), moment.epoch(epochs), done);
  };
  if (any_mixing(now) && !same_moment(now.mix.start)) moved = "mix.start";
  if (any_mixing(now) && !same_moment(now.mix.stop)) moved = "mix.stop";
  if (now.method.rule != method::Rule::none &&
      !same_until(method::first_rule_epoch(now.method, old_epochs),
                  method::first_rule_epoch(now.method, epochs), done)) {
    moved = "rule.start";
  }
  if (epochs <= point.epoch) moved = "the end of the run";
  if (done > old_epochs) moved = "the beginning of the second stage";
  if (moved.empty()) return;
  throw UsageError(
      concat("train.epochs: ", old_epochs, " -> ", epochs, " would move ", moved,
             ", which the run's first ", done,
             " epochs have behind them: give such settings as epochs instead of "
             "fractions from the start, put the run folder away, or train with --new"));
}

/// What of a recipe is at work before an epoch.
struct Early {
  bool masks = false;
  bool contrast = false;
  bool rule = false;
  bool mixing = false;
  bool mask_start = false;  ///< something that mask.start sets off
  bool stage = false;
};

Early early(const Recipe& recipe, int epoch) {
  const int epochs = recipe.train.epochs;
  const int mask_start = recipe.mask.start.epoch(epochs);
  Early out;
  out.masks = any_mask(recipe) && mask_start < epoch;
  const bool waits = contrast_waits(recipe);
  out.contrast = any_contrast(recipe) && (!waits || mask_start - recipe.method.warm_up < epoch);
  out.mask_start = out.masks || (waits && out.contrast);
  out.mixing = any_mixing(recipe) && recipe.mix.start.epoch(epochs) < epoch;
  out.rule = recipe.method.rule != method::Rule::none &&
             method::first_rule_epoch(recipe.method, epochs) < epoch;
  out.stage = recipe.stage.name != method::StageName::none && epochs < epoch;
  return out;
}

/// Whether a setting decides nothing where only `at_work` is.
bool is_idle(const std::string& key, const Early& at_work) {
  const auto in = [&](const char* section) { return key.starts_with(section); };
  if (is_of_execution(key)) return true;
  if (key == "mask.start") return !at_work.mask_start;
  if (key == "mask.border" || in("saliency.")) return !at_work.masks && !at_work.mixing;
  if (in("mask.") || in("mce.") || in("plain.")) return !at_work.masks;
  if (in("contrast.")) return !at_work.contrast;
  if (in("mix.")) return !at_work.mixing;
  if (in("rule.")) return !at_work.rule;
  if (in("stage.")) return !at_work.stage;
  if (!in("target.") && key != "method.name") return false;
  return !at_work.masks && !at_work.contrast && !at_work.mixing;
}

/// Whether a difference of two recipes decides nothing before an epoch.
class Late {
 public:
  Late(const Recipe& before, const Recipe& now, int epoch)
      : before_(early(before, epoch)), now_(early(now, epoch)) {}
  bool operator()(const Difference& one) const {
    return is_idle(one.key, before_) && is_idle(one.key, now_);
  }

 private:
  Early before_, now_;
};

std::string folders_of(const Recipe& recipe) {
  return concat(recipe.data.dir, '\n', recipe.data.scenes.fashion_dir);
}

}  // namespace

std::string text_of(const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& one : differences) {
    text += concat(text.empty() ? "" : ", ", one.key, ": ", one.before, " -> ", one.now);
  }
  return text;
}

std::vector<Difference> differences(const Recipe& before, const Recipe& now) {
  const auto& old = before.resolved;
  std::vector<Difference> out;
  for (std::size_t i = 0; i < now.resolved.size(); ++i) {
    const config::Resolved& setting = now.resolved[i];
    const auto same_key = [&](const config::Resolved& each) { return each.key == setting.key; };
    // Bound alike, they have one order.
    const auto place = i < old.size() && same_key(old[i])
                           ? old.begin() + static_cast<std::ptrdiff_t>(i)
                           : std::find_if(old.begin(), old.end(), same_key);
    const std::string value = place == old.end() ? "" : place->value;
    if (setting.key != "run.name" && value != setting.value) {
      out.push_back({setting.key, value.empty() ? "(not set)" : value, setting.value});
    }
  }
  return out;
}

std::vector<Difference> of_results(std::vector<Difference> all) {
  std::erase_if(all, [](const Difference& one) { return is_of_execution(one.key); });
  return all;
}

void check_may_go_on(const Recipe& before, const Recipe& now, const train::RunPoint& point) {
  std::vector<Difference> forbidden = differences(before, now);
  std::erase_if(forbidden, [](const Difference& one) { return may_change(one.key); });
  if (!forbidden.empty()) {
    throw UsageError(concat(
        "the run was started with other settings: ", text_of(forbidden),
        "; only train.epochs, eval.*, checkpoint.*, run.* and the folders of "
        "the data may change: put these back, put the run folder away, or train with --new"));
  }
  check_same_past(before, now, point);
}

std::string mark_with_folders(const Recipe& recipe) {
  return concat(recipe.settings_hash(), '\n', folders_of(recipe));
}

std::vector<Difference> early_differences(const Recipe& before, const Recipe& now, int epoch) {
  std::vector<Difference> out = differences(before, now);
  std::erase_if(out, Late(before, now, epoch));
  return out;
}

int shared_epochs(const Recipe& before, const Recipe& now, int most) {
  if (folders_of(before) != folders_of(now)) return 0;
  const std::vector<Difference> all = differences(before, now);
  const auto alike = [&](int epoch) {
    return std::all_of(all.begin(), all.end(), Late(before, now, epoch));
  };
  if (most < 1 || !alike(1)) return 0;  // as most pairs are
  int same = 1;                         // what is at work only grows with the epoch
  while (same < most) {
    const int middle = (same + most + 1) / 2;
    if (alike(middle)) {
      same = middle;
    } else {
      most = middle - 1;
    }
  }
  return same;
}

std::string fingerprint_changes(const nlohmann::json& before, const nlohmann::json& now) {
  constexpr std::array<const char*, 12> kDecide{
      "version", "revision", "compiler",     "c_library", "cpu",    "isa",
      "kernels", "libtorch", "libtorch_isa", "threads",   "device", "gpu_versions"};
  std::string text;
  const auto shown = [](const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return std::string("unknown");
    return found->is_string() ? found->get<std::string>() : found->dump();
  };
  for (const char* key : kDecide) {
    const std::string old = shown(before, key);
    const std::string value = shown(now, key);
    if (old != value) text += concat(text.empty() ? "" : ", ", key, ": ", old, " -> ", value);
  }
  return text;
}

}  // namespace smcl::experiment

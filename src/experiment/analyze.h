#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiment/masked_images.h"
#include "record/analysis.h"
#include "record/run_folder.h"

namespace smcl::experiment {

/// What is asked of an analysis (docs/analyze.md).
struct AnalyzeSettings {
  std::string weights = "last";  ///< last, best_on_val, best_on_test
  int images = 1000;             ///< masked images of each set
  Spread spread = Spread::balanced;
  int k = 10;              ///< nearest neighbours
  int gallery = 50000;     ///< training images among which they are sought, at most
  std::uint64_t seed = 0;  ///< of the sample, its masks and the bootstrap
  int resamples = 1000;    ///< of the bootstrap; 0: no intervals
};

/// The recipe of a run with the masks that its analysis uses: the recipe's own where its method
/// masks images, else the defaults, so that cross-entropy and SMCL are judged on the same images;
/// `overrides` come last. Throws UsageError for an override of anything but mask.kind, area,
/// border, fill, saliency.*, target.*, augment.*, run.threads, run.precision, data.dir and
/// scenes.fashion_dir; DataError where the folder's own settings are wrong.
Recipe analysis_recipe(const record::RunFolder& folder, const std::vector<std::string>& overrides);

struct AnalyzeResult {
  record::Analysis analysis;
  bool was_there = false;  ///< the folder had it; nothing was computed
};

/// Computes all measures and pictures of a run from its folder alone, on the CPU, and writes them
/// into it: pictures first, analysis.json last. Where the folder has an analysis of the same
/// weights and settings it is read (`always_new`: computed again, to the same bits). Throws
/// UsageError (k, or a mask that cannot be), DataError (data that are not there or not those of the
/// run), DivergedError (features that are not finite), IoError.
AnalyzeResult analyze(const record::RunFolder& folder, const Recipe& recipe,
                      const AnalyzeSettings& settings, bool always_new);

/// "mask.kind = saliency, ...": the settings of masks in an analysis, for people.
std::string mask_text(const record::Analysis& analysis);

}  // namespace smcl::experiment

#include "experiment/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiment/tiny.h"

namespace smcl::experiment {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RecorderSigns : public ScratchFolder {
 protected:
  /// Warnings of 8 epochs with masks from the fifth on, in which the many-shot class is right up to
  /// there and wrong from there on.
  std::vector<std::string> warnings(const std::string& rule) {
    const Recipe recipe = tiny("mask.start = 4\ntrain.epochs = 8\n" + rule);
    const nn::Network network(recipe.network, 2, 1, recipe.precision(), at::kCPU);
    auto folder = record::RunFolder::create(this->folder() / "runs", "signs");
    folder.write_config(config::to_toml(recipe.resolved, true), "hash");
    const std::vector<int> counts{200, 10};
    Recorder recorder(recipe, folder, network, counts, false);
    train::RunBegin begin;
    begin.epochs = 8;
    begin.mask_start = 4;
    recorder.on(begin);
    for (int epoch = 0; epoch < 8; ++epoch) {
      train::EpochEnd end;
      end.epoch = epoch;
      recorder.on(end);
      const float first = epoch < 4 ? 1.0F : -1.0F;
      const metrics::Predictions predictions{2, {0, 1}, {first, 0, 0, 1}};
      train::Evaluation evaluation;
      evaluation.epoch = epoch;
      evaluation.set = "test";
      evaluation.predictions = &predictions;
      recorder.on(evaluation);
      train::EpochDone done;
      done.epoch = epoch;
      recorder.on(done);
    }
    return recorder.summary().at("warnings");
  }
};

// A rule from before masks on is part of what they are held to; one that begins with them moves
// accuracy itself.
TEST_F(RecorderSigns, AFallUnderMasksIsToldUnlessARuleBeginsWithThem) {
  const auto told = Contains(HasSubstr("many-shot accuracy"));
  EXPECT_THAT(warnings(""), told);
  EXPECT_THAT(warnings("rule.name = 'reweight'"), told);
  EXPECT_THAT(warnings("rule.name = 'drw'\nrule.start = 2"), told);
  EXPECT_THAT(warnings("rule.name = 'drw'\nrule.start = 4"), IsEmpty());
  EXPECT_THAT(warnings("rule.name = 'drw'\nrule.start = 6"), told) << "two epochs without it";
}

}  // namespace
}  // namespace smcl::experiment

#include "metrics/failure_signs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smcl::metrics {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EpochSigns accuracies(int epoch, bool masking, double many, double all, double tail) {
  EpochSigns signs;
  signs.epoch = epoch;
  signs.masking_started = masking;
  signs.many = many;
  signs.all = all;
  signs.tail = tail;
  return signs;
}

EpochSigns contrast(int epoch, double loss) {
  EpochSigns signs;
  signs.epoch = epoch;
  signs.contrast_loss = loss;
  return signs;
}

TEST(FailureSigns, ManyShotFallSinceMasking) {
  FailureSigns watch;
  EXPECT_THAT(watch.add(accuracies(0, false, 0.80, 0.5, 0.2)), IsEmpty());
  EXPECT_THAT(watch.add(accuracies(1, true, 0.76, 0.5, 0.2)), IsEmpty()) << "4 points";
  EXPECT_THAT(watch.add(accuracies(2, true, 0.74, 0.5, 0.2)),
              ElementsAre(HasSubstr("epoch 2: many-shot accuracy fell from 80.0 %")));
  EXPECT_THAT(watch.add(accuracies(3, true, 0.60, 0.5, 0.2)), IsEmpty()) << "once a run";
}

TEST(FailureSigns, FallBeforeMaskingIsNoSign) {
  FailureSigns watch;
  EXPECT_THAT(watch.add(accuracies(0, false, 0.80, 0.5, 0.2)), IsEmpty());
  EXPECT_THAT(watch.add(accuracies(1, false, 0.60, 0.4, 0.3)), IsEmpty());
  EXPECT_THAT(watch.add(accuracies(2, true, 0.58, 0.4, 0.3)), IsEmpty());
}

TEST(FailureSigns, MaskingFromTheStartComparesWithItsFirstEpoch) {
  FailureSigns watch;
  EXPECT_THAT(watch.add(accuracies(0, true, 0.50, 0.5, 0.2)), IsEmpty());
  EXPECT_THAT(watch.add(accuracies(1, true, 0.44, 0.5, 0.2)), ElementsAre(HasSubstr("many-shot")));
}

TEST(FailureSigns, ContrastiveLossGrows) {
  FailureSignOptions options;
  options.contrast_epochs = 3;
  FailureSigns watch(options);
  EXPECT_THAT(watch.add(contrast(0, 1.0)), IsEmpty());
  EXPECT_THAT(watch.add(contrast(1, 1.1)), IsEmpty());
  EXPECT_THAT(watch.add(contrast(2, 1.2)), IsEmpty());
  EXPECT_THAT(watch.add(contrast(3, 1.3)),
              ElementsAre(HasSubstr("grew for 3 epochs in a row, from 1.000 to 1.300")));
  EXPECT_THAT(watch.add(contrast(4, 1.4)), IsEmpty());
}

TEST(FailureSigns, ContrastiveLossThatWaversOrCreepsIsNoSign) {
  FailureSignOptions options;
  options.contrast_epochs = 3;
  FailureSigns wavers(options);
  int epoch = 0;
  for (const double loss : {1.0, 1.5, 1.4, 1.9, 1.8, 2.3, 2.2}) {
    EXPECT_THAT(wavers.add(contrast(epoch++, loss)), IsEmpty());
  }
  FailureSigns creeps(options);
  for (const double loss : {1.0, 1.01, 1.02, 1.03, 1.04, 1.05}) {
    EXPECT_THAT(creeps.add(contrast(epoch++, loss)), IsEmpty());
  }
}

TEST(FailureSigns, EmbeddingsCollapse) {
  FailureSigns watch;
  EpochSigns signs;
  signs.mean_cosine = 0.95;
  EXPECT_THAT(watch.add(signs), IsEmpty());
  signs.mean_cosine = 0.96;
  signs.epoch = FailureSignOptions{}.settle_epochs - 1;
  EXPECT_THAT(watch.add(signs), IsEmpty()) << "a head that has hardly been trained";
  ++signs.epoch;
  EXPECT_THAT(watch.add(signs), ElementsAre(HasSubstr("mean pairwise cosine is 0.960")));
  EXPECT_THAT(watch.add(signs), IsEmpty());
}

TEST(FailureSigns, FeaturesVanish) {
  FailureSigns watch;
  EpochSigns signs;
  signs.near_zero_share = 0.5;
  EXPECT_THAT(watch.add(signs), IsEmpty());
  signs.near_zero_share = 0.6;
  EXPECT_THAT(watch.add(signs),
              ElementsAre(HasSubstr("60.0 % of the masked images have features near zero")));
}

TEST(FailureSigns, TailUpWhileAllIsDown) {
  FailureSigns watch;
  EXPECT_THAT(watch.add(accuracies(0, false, 0.80, 0.50, 0.20)), IsEmpty());
  EXPECT_THAT(watch.add(accuracies(1, true, 0.80, 0.52, 0.30)), IsEmpty()) << "both up";
  EXPECT_THAT(watch.add(accuracies(2, true, 0.80, 0.48, 0.20)), IsEmpty()) << "tail not up";
  EXPECT_THAT(watch.add(accuracies(3, true, 0.78, 0.48, 0.25)),
              ElementsAre(HasSubstr("tail third rose from 20.0 % to 25.0 %")));
}

TEST(FailureSigns, NothingMeasuredNothingSaid) {
  FailureSigns watch;
  EpochSigns signs;
  signs.masking_started = true;
  for (signs.epoch = 0; signs.epoch < 20; ++signs.epoch) {
    EXPECT_THAT(watch.add(signs), IsEmpty());
  }
}

}  // namespace
}  // namespace smcl::metrics

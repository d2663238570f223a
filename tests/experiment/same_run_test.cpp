#include "experiment/same_run.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "experiment/tiny.h"

// Expected values: by hand, from what docs/method.md lets begin when.
namespace smcl::experiment {
namespace {

using ::testing::HasSubstr;

std::string early(const std::string& before, const std::string& now, int epoch) {
  const std::string same = "train.epochs = 20\n";
  return text_of(early_differences(tiny(same + before), tiny(same + now), epoch));
}

TEST(EarlyDifferences, AreThoseAtWorkBeforeTheEpoch) {
  EXPECT_EQ(early("mask.start = 10\n", "mask.start = 10\nmask.prob = 0.5\n", 10), "");
  EXPECT_THAT(early("mask.start = 10\n", "mask.start = 10\nmask.prob = 0.5\n", 11),
              HasSubstr("mask.prob"));
  EXPECT_EQ(early("mask.start = 10\n", "mask.start = 12\n", 10), "");
  EXPECT_THAT(early("mask.start = 10\n", "mask.start = 12\n", 11), HasSubstr("mask.start"));
  EXPECT_THAT(early("", "contrast.mu = 0.1\n", 1), HasSubstr("contrast.mu"));
  EXPECT_EQ(early("", "run.threads = 2\ncheckpoint.steps = 5\n", 19), "");
}

TEST(SharedEpochs, EndWhereADifferenceBegins) {
  const auto shared = [](const std::string& before, const std::string& now, int most) {
    const std::string same = "train.epochs = 20\n";
    return shared_epochs(tiny(same + before), tiny(same + now), most);
  };
  EXPECT_EQ(shared("mask.start = 10\n", "mask.start = 10\nmask.prob = 0.5\n", 19), 10);
  EXPECT_EQ(shared("mask.start = 10\n", "mask.start = 10\nmask.prob = 0.5\n", 7), 7);
  EXPECT_EQ(shared("", "contrast.mu = 0.1\n", 19), 0);
  EXPECT_EQ(shared("", "train.seed = 9\n", 19), 0);
  EXPECT_EQ(shared("", "run.threads = 2\n", 19), 19);
  EXPECT_EQ(shared("", "", 0), 0);
}

// Cutout follows mask.start in methods without masks too.
TEST(EarlyDifferences, CutoutCountsWithoutMasks) {
  const std::string ce = "method.name = \"ce\"\nmask.prob = 0.2\nmask.start = 10\n";
  EXPECT_THAT(early(ce + "plain.cutout = 0.5\n", ce, 20), HasSubstr("plain.cutout"));
  EXPECT_EQ(early(ce + "plain.cutout = 0.5\n", ce, 10), "");
}

// contrast.when = masked begins contrast.warm_up epochs before the masks: 5 epochs before 10.
TEST(EarlyDifferences, MaskStartMovesContrastThatWaitsForIt) {
  const std::string waits = "contrast.when = \"masked\"\ncontrast.warm_up = 5\n";
  EXPECT_THAT(early(waits + "mask.start = 10\n", waits + "mask.start = 12\n", 8),
              HasSubstr("mask.start: 10 -> 12"));
  EXPECT_EQ(early(waits + "mask.start = 10\n", waits + "mask.start = 12\n", 5), "");
}

// Mixing from epoch 10 on can branch off there, views act from the first step on.
TEST(EarlyDifferences, MixingCountsFromItsStart) {
  const std::string ce = "method.name = \"ce\"\nmask.prob = 0.0\n";
  const std::string cmo = "method.name = \"cmo\"\nmask.prob = 0.0\nmix.start = 10\n";
  EXPECT_EQ(early(ce, cmo + "mix.prob = 0.5\ntarget.unit = \"sample\"\n", 10), "");
  const std::string late = early(ce, cmo + "target.unit = \"sample\"\n", 11);
  for (const char* key : {"method.name", "mix.start", "target.unit"}) {
    EXPECT_THAT(late, HasSubstr(key));
  }
  EXPECT_THAT(early(ce, "method.name = \"bcl\"\nmask.prob = 0.0\n", 1), HasSubstr("method.name"));
  const std::string drs = "rule.name = \"drs\"\nrule.start = 10\n";
  EXPECT_EQ(early(ce, ce + drs, 10), "");
  EXPECT_THAT(early(ce, ce + drs, 11), HasSubstr("rule.name"));
}

// A second stage begins behind the 20th epoch: up to there any two share the run.
TEST(EarlyDifferences, SecondStagesCountFromTheirBeginning) {
  const std::string crt = "stage.name = \"crt\"\n";
  EXPECT_EQ(early("", crt, 20), "");
  EXPECT_EQ(early("stage.name = \"lws\"\n", crt + "stage.rate = 0.3\n", 20), "");
  EXPECT_THAT(early("", crt, 21), HasSubstr("stage.name"));
  EXPECT_THAT(early(crt, crt + "stage.rate = 0.3\n", 22), HasSubstr("stage.rate"));
}

train::RunPoint at_epoch(int epoch) {
  train::RunPoint point;
  point.epoch = epoch;
  return point;
}

std::string refusal(const std::string& before, const std::string& now, int epoch) {
  return error_of<UsageError>([&] { check_may_go_on(tiny(before), tiny(now), at_epoch(epoch)); });
}

const std::string kFlat = "schedule.drops = []\nschedule.factors = []\nschedule.warm_up = 0\n";

TEST(MayGoOn, EpochsThatMoveWhatHasBegunAreRefused) {
  const auto epochs = [](int n) { return concat("train.epochs = ", n, "\n"); };
  const std::string ce = kFlat + "method.name = \"ce\"\nmask.prob = 0.2\nplain.cutout = 0.5\n";
  EXPECT_THAT(refusal(ce + epochs(20), ce + epochs(40), 11), HasSubstr("would move mask.start"));
  EXPECT_NO_THROW(check_may_go_on(tiny(ce + epochs(20)), tiny(ce + epochs(40)), at_epoch(10)));
  const std::string waits = kFlat + "contrast.when = \"masked\"\ncontrast.warm_up = 5\n";
  EXPECT_THAT(refusal(waits + epochs(20), waits + epochs(40), 8),
              HasSubstr("would move mask.start"));
  EXPECT_NO_THROW(check_may_go_on(tiny(waits + epochs(20)), tiny(waits + epochs(40)), at_epoch(5)));
}

TEST(MayGoOn, EpochsThatMoveMixingAreRefused) {
  const std::string cutmix = kFlat + "method.name = \"cutmix\"\nmask.prob = 0.0\n";
  const auto epochs = [](int n) { return concat("train.epochs = ", n, "\n"); };
  const std::string starts = cutmix + "mix.start = 0.5\n";
  EXPECT_THAT(refusal(starts + epochs(20), starts + epochs(40), 11), HasSubstr("move mix.start"));
  EXPECT_NO_THROW(
      check_may_go_on(tiny(starts + epochs(20)), tiny(starts + epochs(40)), at_epoch(10)));
  const std::string stops = cutmix + "mix.stop = 0.5\n";
  EXPECT_THAT(refusal(stops + epochs(20), stops + epochs(40), 11), HasSubstr("move mix.stop"));
}

TEST(MayGoOn, EpochsBeforeASecondStageAreRefusedOnceItHasBegun) {
  const std::string crt = kFlat + "mask.prob = 0.0\nstage.name = \"crt\"\n";
  const std::string longer = crt + "train.epochs = 30\n";
  const std::string run = crt + "train.epochs = 20\n";
  EXPECT_NO_THROW(check_may_go_on(tiny(run), tiny(longer), at_epoch(20)));
  EXPECT_THAT(refusal(run, longer, 21), HasSubstr("move the beginning of the second stage"));
  train::RunPoint begun = at_epoch(20);
  begun.step = 1;
  EXPECT_THROW(check_may_go_on(tiny(run), tiny(longer), begun), UsageError);
  EXPECT_NO_THROW(check_may_go_on(tiny(run), tiny(run), at_epoch(25)));
  EXPECT_THAT(refusal(run, run + "stage.epochs = 20\n", 25), HasSubstr("stage.epochs: 10 -> 20"));
}

TEST(MayGoOn, AnEndThatIsReachedIsRefused) {
  const std::string fixed = kFlat + "mask.start = 1\nrule.start = 1\n";
  EXPECT_THAT(refusal(fixed + "train.epochs = 5\n", fixed + "train.epochs = 3\n", 3),
              HasSubstr("would move the end of the run"));
  EXPECT_NO_THROW(check_may_go_on(tiny(fixed + "train.epochs = 5\n"),
                                  tiny(fixed + "train.epochs = 4\n"), at_epoch(3)));
}

TEST(OfResults, LeavesOutHowARunIsCarriedOut) {
  const Recipe before = tiny("");
  const Recipe now = tiny(
      "run.loader_threads = 4\ncheckpoint.minutes = 1\neval.test_every = 5\n"
      "run.precision = \"bf16\"\n");
  EXPECT_EQ(differences(before, now).size(), 4U);
  const std::string text = text_of(of_results(differences(before, now)));
  EXPECT_THAT(text, HasSubstr("eval.test_every"));
  EXPECT_THAT(text, HasSubstr("run.precision"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("loader_threads")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("minutes")));
}

// docs/run-folder.md: the fields that decide bits; an older run may not know one.
TEST(FingerprintChanges, NamesWhatDecidesBits) {
  const nlohmann::json now{{"isa", "avx2"}, {"libtorch_isa", "AVX2"}, {"threads", 2}, {"cpus", 4}};
  EXPECT_EQ(fingerprint_changes(now, now), "");
  nlohmann::json before = now;
  before["cpus"] = 8;
  EXPECT_EQ(fingerprint_changes(before, now), "") << "the number of threads is what counts";
  before["threads"] = 4;
  before["libtorch_isa"] = "AVX512";
  EXPECT_EQ(fingerprint_changes(before, now), "libtorch_isa: AVX512 -> AVX2, threads: 4 -> 2");
  before = now;
  before.erase("libtorch_isa");
  EXPECT_EQ(fingerprint_changes(before, now), "libtorch_isa: unknown -> AVX2");
}

}  // namespace
}  // namespace smcl::experiment

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "experiment/checkpoints.h"
#include "experiment/resume.h"
#include "experiment/summary.h"
#include "record/checkpoint_files.h"
#include "tensor/fake_gpu.h"
#include "train/evaluate.h"

// Second stages of whole runs.
namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

const std::string kCe = "method.name = \"ce\"\nmask.prob = 0.2\n";
const std::string kCrt = kCe + "stage.name = \"crt\"\nstage.epochs = 2\nstage.batch_size = 20\n";
const std::string kLws = kCe + "stage.name = \"lws\"\nstage.epochs = 2\n";
const std::string kTau = kCe + "stage.name = \"tau_norm\"\n";

class StageSlow : public ResumeSlow {
 protected:
  RunResult run(const std::string& extra) { return train_recipe(tiny(extra), options_); }
};

nn::Network network_of(const RunResult& run) {
  return load_network(run.folder, recipe_of(run.folder), 10, "last");
}

/// Weights and statistics that a second stage may not touch.
std::vector<at::Tensor> backbone(const nn::Network& network) {
  std::vector<at::Tensor> out{network.store().statistics().clone()};
  for (const tensor::Slot& slot : network.store().slots()) {
    const bool rest = slot.name.rfind("fc.", 0) != 0 && slot.name.rfind("head.", 0) != 0;
    if (rest && !slot.statistic) out.push_back(network.store().view(slot.name).detach().clone());
  }
  return out;
}

void expect_same(const std::vector<at::Tensor>& one, const std::vector<at::Tensor>& two) {
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(two[i])) << i;
}

TEST_F(StageSlow, ChangeTheClassifierAloneAndTellBeforeAndAfter) {
  const RunResult ce = run(kCe);
  const auto before = backbone(network_of(ce));
  const json first = ce.folder.summary().at("last");
  const std::string tau = kTau + "stage.tau = 0.5\n";  // chosen, it might be 0: no change
  for (const std::string& extra : {kCrt, kLws, tau}) {
    SCOPED_TRACE(extra);
    const RunResult staged = run(extra);
    const nn::Network network = network_of(staged);
    expect_same(backbone(network), before);
    EXPECT_EQ(network.batches_tracked(), network_of(ce).batches_tracked());
    EXPECT_FALSE(network.store().view("fc.weight").equal(network_of(ce).store().view("fc.weight")));
    const json summary = staged.folder.summary();
    EXPECT_EQ(summary.at("before_stage"), first);
    EXPECT_EQ(summary.at("epochs"), 2);
    EXPECT_EQ(summary.at("last").at("epoch"), extra == tau ? 2 : 3);
    EXPECT_EQ(summary.at("warnings").size(), ce.folder.summary().at("warnings").size());
    // What is stored is what the weights give, strictly read.
    const auto stored = stored_predictions(staged.folder.predictions_file("test"));
    const data::Opened data = data::open_data(recipe_of(staged.folder).data);
    nn::Network read = network_of(staged);
    const auto again = train::evaluate(read, *data.test, data.test_samples, data.normalisation);
    EXPECT_EQ(stored.logits, again.logits);
  }
}

TEST_F(StageSlow, LinesAndSummarySayWhatTheStageWas) {
  const RunResult staged = run(kCrt);
  const auto rows = staged.folder.metrics();
  const auto ce = bits_of_metrics(whole_run(kCe));
  const auto own = bits_of_metrics(staged);
  ASSERT_GT(own.size(), ce.size());
  for (std::size_t i = 0; i < ce.size(); ++i)
    EXPECT_EQ(own[i], ce[i]) << "the first stage, line " << i;
  EXPECT_EQ(rows[ce.size()], json({{"format_version", 1},
                                   {"type", "stage"},
                                   {"epoch", 2},
                                   {"stage", "crt"},
                                   {"epochs", 2}}));
  int epochs = 0;
  for (std::size_t i = ce.size() + 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("stage"), "crt");
    if (rows[i].at("type") != "epoch") continue;
    // Half cosine from 0.1 over two epochs.
    EXPECT_NEAR(rows[i].at("rate").get<double>(), epochs == 0 ? 0.1 : 0.05, 1e-12);
    EXPECT_EQ(rows[i].at("images"), rows[0].at("images"));
    EXPECT_EQ(rows[i].at("masked_share"), 0.0);
    ++epochs;
  }
  EXPECT_EQ(epochs, 2);
  EXPECT_EQ(staged.folder.summary().at("stage"), json({{"name", "crt"}, {"epochs", 2}}));
  EXPECT_FALSE(whole_run(kCe).folder.summary().contains("stage"));
}

TEST_F(StageSlow, TauIsChosenOnValidationImages) {
  const RunResult run = this->run(kTau);
  const json stage = run.folder.summary().at("stage");
  ASSERT_EQ(stage.at("tried").size(), 21U);
  double best = -1.0;
  for (const json& one : stage.at("tried")) best = std::max(best, one.at("balanced").get<double>());
  // What was promised is what the validation images then give.
  const json validation = run.folder.summary().at("validation");
  EXPECT_NEAR(validation.at("accuracy").at("balanced").get<double>(), best, 1e-9);
  const json fixed = this->run(kTau + "stage.tau = 0.5\n").folder.summary().at("stage");
  EXPECT_EQ(fixed, json({{"name", "tau_norm"}, {"tau", 0.5}}));
  for (const json& row : run.folder.metrics()) {
    EXPECT_FALSE(row.at("type") == "epoch" && row.contains("stage")) << "it trains nothing";
  }
}

TEST_F(StageSlow, GoOnBitForBitFromPointsOfEveryKind) {
  EXPECT_GT(check_points(kCrt, 3), 5);
  EXPECT_GT(check_points(kLws + "checkpoint.steps = 2\n", 7), 2);
}

TEST_F(StageSlow, TauNormGoesOnBitForBit) {
  EXPECT_GT(check_points(kTau + "eval.test_every = 0\n", 2), 6);
}

// All from one run of cross-entropy, whose last state is that before its last evaluations.
TEST_F(StageSlow, BranchFromTheEndOfARunWithoutOne) {
  const RunResult ce = run(kCe);
  for (const std::string& extra : {kCrt, kLws, kTau}) {
    options_.branch = {ce.folder.path(), 2};
    const RunResult branch = run("run.name = \"branch\"\n" + extra);
    EXPECT_EQ(branch.summary.at("branched_from").at("epoch"), 2);
    const RunResult whole = whole_run("run.name = \"branch\"\n" + extra);
    expect_same_bits(branch, whole, extra);
    EXPECT_EQ(branch.summary.at("before_stage"), ce.summary.at("last"));
  }
}

TEST_F(StageSlow, BranchFromOneAnotherWhereTheStageBegins) {
  const RunResult crt = run(kCrt);
  EXPECT_TRUE(fs::exists(record::checkpoint_file(crt.folder.path(), 2, 0)));
  options_.branch = {crt.folder.path(), 2};
  const RunResult lws = run(kLws);
  expect_same_bits(lws, whole_run(kLws), "from cRT");
  const std::string refusal = error_of<UsageError>([&] { run(kCe + "run.name = \"ce\"\n"); });
  EXPECT_THAT(refusal, HasSubstr("nothing is left to train"));
  options_.branch->epoch = 3;
  EXPECT_THAT(error_of<UsageError>([&] { run(kCrt + "stage.rate = 0.3\n"); }),
              HasSubstr("stage.rate"));
  const RunResult same = run("run.name = \"same\"\n" + kCrt);
  EXPECT_EQ(weights_hash(same), weights_hash(crt));
}

TEST_F(StageSlow, KeptStatesHoldTheEndOfTheFirstStage) {
  const RunResult run = this->run(kCrt + "checkpoint.keep = [1]\n");
  for (const int epoch : {1, 2}) {
    EXPECT_TRUE(fs::exists(record::checkpoint_file(run.folder.path(), epoch, 0))) << epoch;
  }
  EXPECT_TRUE(fs::exists(record::checkpoint_file(run.folder.path(), 3, 4))) << "75 images by 20";
}

TEST_F(StageSlow, OtherSettingsAreRefusedBeforeStatesAreRead) {
  ASSERT_TRUE(stopped_at("other", kCrt, 22));  // in the stage
  options_.resume = options_.root / "tiny-1";
  const auto states = record::checkpoint_files(*options_.resume).size();
  EXPECT_THAT(error_of<UsageError>([&] { run(kLws); }),
              HasSubstr("stage.name: \"crt\" -> \"lws\""));
  const std::string flat = "schedule.drops = []\nschedule.factors = []\nschedule.warm_up = 0\n";
  EXPECT_THAT(error_of<UsageError>([&] { run(kCrt + "train.epochs = 3\n"); }),
              HasSubstr("train.epochs: 2 -> 3 would move"));
  EXPECT_EQ(record::checkpoint_files(*options_.resume).size(), states) << "none was set aside";
  EXPECT_NO_THROW(run(kCrt));
}

TEST_F(StageSlow, FollowAnyFirstStage) {
  for (const char* first :
       {"", "method.name = \"bcl\"\nmask.prob = 0.2\nloss.name = \"logit_adjusted\"\n",
        "method.name = \"cmo\"\nmask.prob = 0.2\nrule.name = \"drs\"\nrule.start = 1\n",
        "method.name = \"ce\"\nmask.prob = 0.2\nloss.name = \"ldam\"\n"
        "network.classifier = \"cosine\"\nrun.precision = \"bf16\"\n"}) {
    SCOPED_TRACE(first);
    const RunResult staged = run(std::string(first) + "stage.name = \"crt\"\nstage.epochs = 1\n");
    const RunResult plain = whole_run(first);
    expect_same(backbone(network_of(staged)), backbone(network_of(plain)));
    EXPECT_NE(weights_hash(staged), weights_hash(plain));
  }
}

TEST_F(StageSlow, RunOnAGpuAsOnTheCpu) {
  tensor::testing::FakeGpu gpu;
  for (const std::string& extra : {kCrt, kLws, kTau}) {
    SCOPED_TRACE(extra);
    options_.gpu = &gpu;
    options_.root = folder() / "gpu";
    const RunResult on_gpu = run(extra);
    options_.gpu = nullptr;
    options_.root = folder() / "cpu";
    const RunResult on_cpu = run(extra);
    const bool learns = extra != kTau;
    const json stage = on_gpu.summary.at("stage");
    EXPECT_EQ(stage.value("graph", ""), learns ? "captured" : "");
    EXPECT_EQ(on_gpu.summary.at("graph"), "captured");
    // Its batch norm is another arithmetic than the CPU's.
    const double gpu_loss = on_gpu.summary.at("last").at("nll").get<double>();
    const double cpu_loss = on_cpu.summary.at("last").at("nll").get<double>();
    EXPECT_NEAR(gpu_loss, cpu_loss, 0.05 * cpu_loss);
    options_.gpu = &gpu;
    options_.root = folder() / "again";
    EXPECT_EQ(weights_hash(run(extra)), weights_hash(on_gpu));
    fs::remove_all(folder() / "again");
    fs::remove_all(folder() / "gpu");
    fs::remove_all(folder() / "cpu");
  }
}

std::string refused(const std::string& extra) {
  return error_of<UsageError>([&] { tiny(extra); });
}

TEST(StageSettings, WithoutMeaningAreRefused) {
  EXPECT_THAT(refused(kTau + "scenes.val_objects = 0\n"), HasSubstr("scenes.val_objects above 0"));
  EXPECT_NO_THROW(tiny(kTau + "scenes.val_objects = 0\nstage.tau = 1.0\n"));
  const std::string cosine = "network.classifier = \"cosine\"\n";
  EXPECT_THAT(refused(cosine + kTau), HasSubstr("stage.name = tau_norm"));
  EXPECT_THAT(refused(cosine + kLws), HasSubstr("stage.name = lws"));
  EXPECT_NO_THROW(tiny(cosine + kCrt));
  for (const char* idle : {"stage.epochs = 3\n", "stage.rate = 0.5\n", "stage.batch_size = 8\n",
                           "stage.momentum = 0.5\n", "stage.weight_decay = 0.1\n"}) {
    EXPECT_THAT(refused(kCe + idle), HasSubstr("has no effect with stage.name = none")) << idle;
    EXPECT_THAT(refused(kTau + idle), HasSubstr("has no effect with stage.name = tau_norm"));
  }
  EXPECT_THAT(refused(kCrt + "stage.tau = 0.5\n"), HasSubstr("stage.tau"));
}

TEST(StageSettings, LeaveTheHashOfRunsWithoutOne) {
  const auto hash = [](const std::string& extra) { return tiny(extra).settings_hash(); };
  EXPECT_EQ(hash(""), hash("stage.name = \"none\"\nstage.epochs = 10\n"));
  EXPECT_NE(hash(kCe), hash(kCrt));
  EXPECT_NE(hash(kCrt), hash(kCrt + "stage.rate = 0.2\n"));
}

TEST(StageSettings, AreThoseOfTrainingUnlessSet) {
  const Recipe plain = tiny(kLws);
  EXPECT_EQ(plain.stage_planner_settings().batch_size, 16);
  EXPECT_EQ(plain.stage_optimiser().momentum, 0.9);
  EXPECT_EQ(plain.stage_optimiser().weight_decay, 2e-4);
  EXPECT_EQ(plain.all_epochs(), 4);
  const Recipe set = tiny(kCrt + "stage.momentum = 0.0\nstage.weight_decay = 0.01\n");
  EXPECT_EQ(set.stage_planner_settings().batch_size, 20);
  EXPECT_EQ(set.stage_optimiser().momentum, 0.0);
  EXPECT_EQ(set.stage_optimiser().weight_decay, 0.01);
  EXPECT_EQ(set.stage_planner_settings().resample_from, 2);
}

}  // namespace
}  // namespace smcl::experiment

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "batch/fake_dataset.h"
#include "core/error.h"
#include "method/stage.h"
#include "nn/stage_classifier.h"
#include "tensor/fake_gpu.h"
#include "train/evaluate.h"
#include "train/steps.h"

namespace smcl::train {
namespace {

using ::testing::HasSubstr;

/// Three steps of 4, 4 and 3 images an epoch, SMCL with masks from the start, a rule from epoch 2
/// on.
struct Experiment {
  Experiment() {
    method_settings.mu = 0.3;
    method_settings.rule = method::Rule::drw;
    method_settings.rule_start = {2, false};
    plan_settings.epochs = 6;
    plan_settings.batch_size = 4;
    plan_settings.mask.prob = 0.5;
    plan_settings.mask.start = {0, false};
    plan_settings.target_classes = true;
    plan_settings.target_images = plan::TargetImages::always;
    executor.augment.crop_padding = 2;
  }

  void make() {
    std::vector<std::uint32_t> samples;
    std::vector<std::int32_t> labels;
    for (std::uint32_t i = 0; i < 11; ++i) {
      samples.push_back(i);
      labels.push_back(static_cast<std::int32_t>(i % 5));
    }
    executor.mask = plan_settings.mask;
    planner = std::make_shared<const plan::Planner>(plan_settings, samples, labels, 5);
    method = method::make_method(method_settings, plan_settings.epochs, {3, 2, 2, 2, 2},
                                 planner->target_probabilities());
  }

  std::unique_ptr<Steps> on_gpu(nn::Network& network, bool eager = false) {
    return make_gpu_steps(optimiser, {gpu, network, *method, planner, executor, set, eager});
  }

  batch::testing::FakeDataset set{11, 16, 16};
  method::MethodSettings method_settings;
  plan::PlannerSettings plan_settings;
  batch::ExecutorSettings executor;
  OptimiserSettings optimiser;
  tensor::testing::FakeGpu gpu;
  std::shared_ptr<const plan::Planner> planner;
  std::unique_ptr<method::Method> method;
};

nn::Network network_on(Experiment& experiment) {
  return {{"resnet20", 0.5, 8}, 5, 1, batch::Precision::fp32, experiment.gpu};
}

int finish(Steps& steps) {
  int taken = 0;
  while (steps.next()) ++taken;
  return taken;
}

RunPoint beginning(int epoch) {
  RunPoint point;
  point.epoch = epoch;
  return point;
}

std::vector<RunPoint> train(Steps& steps, int first, int last) {
  std::vector<RunPoint> ends;
  for (int epoch = first; epoch < last; ++epoch) {
    steps.start(beginning(epoch), 0.05);
    finish(steps);
    ends.push_back(steps.point());
  }
  return ends;
}

void expect_same_state(const nn::Network& one, const nn::Network& two) {
  EXPECT_TRUE(one.store().parameters().equal(two.store().parameters()));
  EXPECT_TRUE(one.store().momentum().equal(two.store().momentum()));
  EXPECT_TRUE(one.store().statistics().equal(two.store().statistics()));
  EXPECT_EQ(one.batches_tracked(), two.batches_tracked());
}

void expect_same_sums(const RunPoint& one, const RunPoint& two) {
  EXPECT_EQ(to_json(one), to_json(two));
  EXPECT_TRUE(one.mean_cosine.has_value());
}

/// Recorded steps, steps launched one by one, and the CPU's loop are the same training: same bits
/// of weights, momentum, running statistics and sums, over epochs with and without the rule.
TEST(GpuSteps, AreTheStepsOfTheCpuRecordedOrNot) {
  Experiment experiment;
  experiment.make();
  nn::Network recorded = network_on(experiment);
  nn::Network eager = network_on(experiment);
  nn::Network reference = network_on(experiment);
  const auto steps = experiment.on_gpu(recorded);
  const auto slow = experiment.on_gpu(eager, true);
  batch::Loader loader(experiment.planner, experiment.executor, experiment.set, 0, 1);
  const auto cpu = make_steps(experiment.optimiser, reference, *experiment.method, loader);
  const auto got = train(*steps, 0, 6);
  const int launches = experiment.gpu.launches;
  const auto one_by_one = train(*slow, 0, 6);
  const auto wanted = train(*cpu, 0, 6);
  EXPECT_GT(launches, 5);
  EXPECT_EQ(experiment.gpu.launches, launches) << "eager steps launch no graph";
  EXPECT_EQ(steps->graph(), "captured");
  EXPECT_EQ(slow->graph(), "eager: run.graph = false");
  expect_same_state(recorded, reference);
  expect_same_state(eager, reference);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    expect_same_sums(got[i], wanted[i]);
    expect_same_sums(one_by_one[i], wanted[i]);
  }
  int masked = 0;
  for (const RunPoint& point : wanted) masked += point.masked_steps;
  EXPECT_TRUE(masked > 0 && masked < 18) << "both kinds of steps occurred";
}

/// Training on the GPU, recorded, and on the CPU come to the same bits of weights and sums.
void expect_cpus_training(Experiment& experiment, bool prototypes) {
  nn::NetworkSettings settings{"resnet20", 0.5, 8};
  settings.prototypes = prototypes;
  nn::Network recorded{settings, 5, 1, batch::Precision::fp32, experiment.gpu};
  nn::Network reference{settings, 5, 1, batch::Precision::fp32, experiment.gpu};
  const auto steps = experiment.on_gpu(recorded);
  batch::Loader loader(experiment.planner, experiment.executor, experiment.set, 0, 1);
  const auto cpu = make_steps(experiment.optimiser, reference, *experiment.method, loader);
  const auto got = train(*steps, 0, 6);
  const auto wanted = train(*cpu, 0, 6);
  EXPECT_EQ(steps->graph(), "captured");
  EXPECT_GT(experiment.gpu.launches, 5);
  expect_same_state(recorded, reference);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(to_json(got[i]), to_json(wanted[i])) << i;
    EXPECT_EQ(got[i].mean_cosine.has_value(), experiment.plan_settings.views > 0);
  }
}

/// Makes `experiment` one of a method that neither masks nor looks at target images.
method::Needs leave_out_masks(Experiment& experiment, const std::string& name) {
  experiment.method_settings.name = name;
  experiment.plan_settings.mask.prob = 0.0;
  experiment.plan_settings.target_classes = false;
  experiment.plan_settings.target_images = plan::TargetImages::never;
  return method::needs_of(experiment.method_settings);
}

TEST(GpuSteps, CompareViewsAsTheCpu) {
  for (const char* name : {"supcon", "bcl"}) {
    SCOPED_TRACE(name);
    Experiment experiment;
    const method::Needs needs = leave_out_masks(experiment, name);
    experiment.plan_settings.views = needs.views;
    experiment.make();
    expect_cpus_training(experiment, needs.prototypes);
  }
}

/// Some steps of mixed images, under a deferred re-sampling.
TEST(GpuSteps, MixImagesAsTheCpu) {
  for (const char* name : {"mixup", "saliencymix", "cmo"}) {
    SCOPED_TRACE(name);
    Experiment experiment;
    experiment.plan_settings.mixing = leave_out_masks(experiment, name).mixing;
    experiment.method_settings.rule = method::Rule::drs;
    experiment.plan_settings.mix.prob = 0.6;
    experiment.plan_settings.resample_from = 2;
    experiment.executor.mix = experiment.plan_settings.mixing.kind;
    experiment.make();
    expect_cpus_training(experiment, false);
  }
}

/// A classifier on frozen features, re-sampled: recorded, and on the CPU, the same bits; the
/// network keeps its own but for what is installed.
TEST(GpuSteps, TrainASecondStageAsTheCpu) {
  for (const nn::StageKind kind : {nn::StageKind::retrained, nn::StageKind::scaled}) {
    SCOPED_TRACE(static_cast<int>(kind));
    Experiment experiment;
    leave_out_masks(experiment, "ce");
    experiment.plan_settings.resample_from = 0;
    experiment.plan_settings.resample_b = 1.0;
    experiment.make();
    nn::Network recorded = network_on(experiment);
    nn::Network reference = network_on(experiment);
    const at::Tensor first = recorded.store().parameters().clone();
    const at::Tensor statistics = recorded.store().statistics().clone();
    nn::StageClassifier on_gpu(kind, {"resnet20", 0.5, 8}, recorded);
    nn::StageClassifier on_cpu(kind, {"resnet20", 0.5, 8}, reference);
    on_gpu.begin(recorded, 3);
    on_cpu.begin(reference, 3);
    method::SecondStage gpu_method(on_gpu);
    method::SecondStage cpu_method(on_cpu);
    const auto steps = make_gpu_steps(experiment.optimiser,
                                      {experiment.gpu, recorded, gpu_method, experiment.planner,
                                       experiment.executor, experiment.set, false});
    batch::Loader loader(experiment.planner, experiment.executor, experiment.set, 0, 1);
    const auto cpu = make_steps(experiment.optimiser, reference, cpu_method, loader);
    const auto got = train(*steps, 0, 6);
    const auto wanted = train(*cpu, 0, 6);
    EXPECT_EQ(steps->graph(), "captured");
    EXPECT_GT(experiment.gpu.launches, 5);
    expect_same_state(recorded, reference);
    EXPECT_TRUE(on_gpu.store().parameters().equal(on_cpu.store().parameters()));
    EXPECT_TRUE(on_gpu.store().momentum().equal(on_cpu.store().momentum()));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(to_json(got[i]), to_json(wanted[i])) << i;
    }
    EXPECT_EQ(recorded.batches_tracked(), 0);
    EXPECT_TRUE(recorded.store().statistics().equal(statistics));
    EXPECT_FALSE(recorded.store().parameters().equal(first)) << "the classifier was installed";
    const at::NoGradGuard no_gradient;
    for (const char* name : {"fc.weight", "fc.bias"}) {
      recorded.store().view(name).copy_(
          nn::Network({"resnet20", 0.5, 8}, 5, 1, batch::Precision::fp32, at::kCPU)
              .store()
              .view(name));
    }
    EXPECT_TRUE(recorded.store().parameters().equal(first)) << "nothing else was";
  }
}

TEST(GpuSteps, GoOnInTheMiddleOfAnEpoch) {
  Experiment experiment;
  experiment.make();
  nn::Network whole = network_on(experiment);
  nn::Network parts = network_on(experiment);
  const auto one = experiment.on_gpu(whole);
  const auto wanted = train(*one, 0, 2);
  RunPoint middle;
  {
    const auto first = experiment.on_gpu(parts);
    first->start(beginning(0), 0.05);
    EXPECT_TRUE(first->next());
    middle = first->point();
    EXPECT_EQ(middle.step, 1);
  }
  const auto second = experiment.on_gpu(parts);
  second->start(middle, 0.05);
  EXPECT_EQ(finish(*second), 2);
  EXPECT_EQ(to_json(second->point()), to_json(wanted[0]));
  train(*second, 1, 2);
  expect_same_state(whole, parts);
}

TEST(GpuSteps, MethodsThatLookAtMarksAreTakenOneByOneToTheCpusBits) {
  Experiment experiment;
  experiment.method_settings.set = method::ContrastSet::target_plain;
  experiment.plan_settings.mask.draw = plan::DrawUnit::image;
  experiment.make();
  nn::Network network = network_on(experiment);
  nn::Network reference = network_on(experiment);
  const auto steps = experiment.on_gpu(network);
  batch::Loader loader(experiment.planner, experiment.executor, experiment.set, 0, 1);
  const auto cpu = make_steps(experiment.optimiser, reference, *experiment.method, loader);
  const auto got = train(*steps, 0, 3);
  const auto wanted = train(*cpu, 0, 3);
  EXPECT_THAT(steps->graph(), HasSubstr("eager: contrast.set"));
  EXPECT_EQ(experiment.gpu.graphs, 0);
  expect_same_state(network, reference);
  expect_same_sums(got[2], wanted[2]);
}

TEST(GpuSteps, GoOnWithoutAGraphWhereNoneCanBeMade) {
  Experiment experiment;
  experiment.make();
  experiment.gpu.refuses_graphs = true;
  nn::Network network = network_on(experiment);
  nn::Network reference = network_on(experiment);
  const auto steps = experiment.on_gpu(network);
  EXPECT_EQ(steps->graph(), "eager: nothing came often enough to be recorded");
  train(*steps, 0, 6);
  experiment.gpu.refuses_graphs = false;
  train(*experiment.on_gpu(reference), 0, 6);
  EXPECT_EQ(steps->graph(), "eager: the step could not be recorded: operation not permitted");
  expect_same_state(network, reference);
}

/// The host hears of it when it waits, with the step and its samples; the weights are those before.
TEST(GpuSteps, ReportWhatIsNotFiniteWithTheStepAndItsSamples) {
  Experiment experiment;
  experiment.make();
  nn::Network network = network_on(experiment);
  nn::Network reference = network_on(experiment);
  const auto steps = experiment.on_gpu(network);
  steps->start(beginning(0), 0.05);
  steps->next();
  const at::Tensor before = network.store().parameters().clone();
  // One weight of the classifier spoils the loss of the second step.
  network.store().view("fc.bias").detach().index_put_({1}, std::numeric_limits<float>::infinity());
  const at::Tensor spoiled = network.store().parameters().clone();
  steps->next();
  steps->next();
  try {
    steps->point();
    FAIL() << "nothing was reported";
  } catch (const DivergedError& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("loss is not finite in epoch 0, step 1 (from 0);"));
    std::string samples;
    for (const plan::ImageDraw& draw : experiment.planner->plan(0, 1).images) {
      samples += " " + std::to_string(draw.index);
    }
    EXPECT_THAT(problem.what(), HasSubstr("batch:" + samples));
  }
  EXPECT_TRUE(network.store().parameters().equal(spoiled));
}

TEST(GpuEvaluationTest, HasTheLogitsOfTheCpuEachTime) {
  Experiment experiment;
  experiment.make();
  nn::Network network = network_on(experiment);
  const std::vector<std::uint32_t> samples{3, 1, 4, 1, 5, 9, 2};
  GpuEvaluation evaluation(experiment.gpu, network, experiment.set, samples, {}, false, 3);
  for (int turn = 0; turn < 3; ++turn) {
    const metrics::Predictions got = evaluation();
    const metrics::Predictions wanted = evaluate(network, experiment.set, samples, {}, 3);
    EXPECT_EQ(got.logits, wanted.logits);
    EXPECT_EQ(got.labels, wanted.labels);
    network.store().view("fc.bias").detach().add_(1.0);
  }
  EXPECT_EQ(experiment.gpu.graphs, 2) << "one for each size of batch";
  EXPECT_EQ(evaluation.graph(), "captured");
}

TEST(GpuEvaluationTest, SaysThatNothingWasRecorded) {
  Experiment experiment;
  experiment.make();
  nn::Network network = network_on(experiment);
  GpuEvaluation once(experiment.gpu, network, experiment.set, {1, 2}, {});
  once();
  EXPECT_EQ(once.graph(), "eager: nothing came often enough to be recorded");
  experiment.gpu.refuses_graphs = true;
  GpuEvaluation refused(experiment.gpu, network, experiment.set, {1, 2}, {});
  refused();
  refused();
  EXPECT_EQ(refused.graph(), "eager: evaluation could not be recorded: operation not permitted");
  GpuEvaluation eager(experiment.gpu, network, experiment.set, {1, 2}, {}, true);
  EXPECT_EQ(eager.graph(), "eager: run.graph = false");
}

TEST(GpuEvaluationTest, RefusesLogitsThatAreNotFinite) {
  Experiment experiment;
  experiment.make();
  nn::Network network = network_on(experiment);
  network.store().view("fc.bias").detach().fill_(std::numeric_limits<float>::quiet_NaN());
  GpuEvaluation evaluation(experiment.gpu, network, experiment.set, {1, 2}, {});
  EXPECT_THROW(evaluation(), DivergedError);
}

}  // namespace
}  // namespace smcl::train

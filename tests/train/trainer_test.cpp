#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "batch/fake_dataset.h"
#include "core/error.h"

namespace smcl::train {
namespace {

using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

/// Cross-entropy that is spoiled in one step: where a value that is not finite may come from.
class Spoiled : public method::Method {
 public:
  enum class Place { nowhere, loss, loss_value, logits, one_gradient };

  Spoiled(Place place, float value, int step) : place_(place), value_(value), left_(step) {}

  method::Needs needs() const override { return {}; }
  method::StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int) override {
    nn::ForwardOptions options;
    options.training = true;
    at::Tensor logits = network.forward(batch.images, options).logits;
    const bool now = left_-- == 0;
    if (now && place_ == Place::logits) logits = logits + value_;
    method::StepLoss out;
    out.total = at::nll_loss(at::log_softmax(logits, 1), batch.labels);
    if (now && place_ == Place::loss) out.total = out.total * value_;
    if (now && place_ == Place::loss_value) out.total = out.total + value_;  // finite gradients
    if (now && place_ == Place::one_gradient) {
      // The loss stays finite: the hook spoils one number on its way back.
      network.store().view("fc.bias").register_hook([value = value_](const at::Tensor& gradient) {
        at::Tensor spoiled = gradient.clone();
        spoiled[2] = value;
        return spoiled;
      });
    }
    out.classification = out.total.detach();
    return out;
  }

 private:
  Place place_;
  float value_;
  int left_;
};

struct Kept : Keeper {
  void note(const RunPoint& point) override { noted = point; }
  void save() override { saved.push_back(noted); }
  RunPoint noted;
  std::vector<RunPoint> saved;
};

/// Keeps the weights as they were after each step.
class Weights : public Observer {
 public:
  explicit Weights(const nn::Network& network) : network_(network) {}
  using Observer::on;
  Answer on(const StepEnd& event) override {
    steps.push_back(event);
    last = network_.store().parameters().clone();
    momentum = network_.store().momentum().clone();
    return answer;
  }
  Answer answer = Answer::go_on;
  std::vector<StepEnd> steps;
  at::Tensor last;
  at::Tensor momentum;

 private:
  const nn::Network& network_;
};

/// 5 steps of 4 images an epoch, two epochs.
class Trainer : public ::testing::Test {
 protected:
  Trainer()
      : planner_(make_planner()),
        network_({"resnet20", 0.25, 8}, 5, 1, batch::Precision::fp32, at::kCPU),
        loader_(planner_, executor(), set_, 0, 1),
        weights_(network_) {
    settings_.epochs = 2;
    settings_.batch_size = 4;
    settings_.schedule.warm_up = 0;
  }

  static batch::ExecutorSettings executor() {
    batch::ExecutorSettings settings;
    settings.augment.crop_padding = 0;
    return settings;
  }
  static std::shared_ptr<const plan::Planner> make_planner() {
    plan::PlannerSettings settings;
    settings.epochs = 2;
    settings.batch_size = 4;
    settings.mask.prob = 0.0;
    std::vector<std::uint32_t> samples(20);
    std::vector<std::int32_t> labels(20);
    for (std::uint32_t i = 0; i < 20; ++i) {
      samples[i] = i;
      labels[i] = static_cast<std::int32_t>(i % 5);
    }
    return std::make_shared<const plan::Planner>(settings, samples, labels, 5);
  }

  bool train(method::Method& method, const RunPoint& begin = {}) {
    const auto steps = make_steps(settings_.optimiser, network_, method, loader_);
    Parts parts{network_, *planner_, steps.get(), {}, {&weights_}, &kept_, stop_};
    return run(settings_, parts, begin);
  }

  batch::testing::FakeDataset set_{20, 16, 16};
  std::shared_ptr<const plan::Planner> planner_;
  nn::Network network_;
  batch::Loader loader_;
  Weights weights_;
  Kept kept_;
  TrainSettings settings_;
  std::function<bool()> stop_;
};

class TrainerSpoiled : public Trainer,
                       public ::testing::WithParamInterface<std::pair<Spoiled::Place, float>> {};

TEST_P(TrainerSpoiled, NothingThatIsNotFiniteReachesWeightsMomentumOrCheckpoint) {
  Spoiled method(GetParam().first, GetParam().second, 7);  // epoch 1, step 2
  std::string text;
  try {
    train(method);
  } catch (const DivergedError& problem) {
    text = problem.what();
  }
  EXPECT_THAT(text, HasSubstr("epoch 1, step 2"));
  EXPECT_EQ(weights_.steps.size(), 7U);
  EXPECT_TRUE(at::equal(network_.store().parameters(), weights_.last));
  EXPECT_TRUE(at::equal(network_.store().momentum(), weights_.momentum));
  EXPECT_TRUE(weights_.last.isfinite().all().item<bool>());
  EXPECT_TRUE(kept_.saved.empty()) << "a diverged run is not stored";
  // The samples of the batch, from the plan.
  const plan::StepPlan plan = planner_->plan(1, 2);
  for (const auto& image : plan.images) EXPECT_THAT(text, HasSubstr(std::to_string(image.index)));
}

INSTANTIATE_TEST_SUITE_P(Places, TrainerSpoiled,
                         ::testing::Values(std::pair{Spoiled::Place::loss_value, kNan},
                                           std::pair{Spoiled::Place::loss_value, kInf},
                                           std::pair{Spoiled::Place::loss, kNan},
                                           std::pair{Spoiled::Place::loss, kInf},
                                           std::pair{Spoiled::Place::logits, kNan},
                                           std::pair{Spoiled::Place::logits, kInf},
                                           std::pair{Spoiled::Place::one_gradient, kNan},
                                           std::pair{Spoiled::Place::one_gradient, kInf}),
                         [](const auto& each) {
                           const char* place =
                               each.param.first == Spoiled::Place::loss         ? "Loss"
                               : each.param.first == Spoiled::Place::loss_value ? "LossValue"
                               : each.param.first == Spoiled::Place::logits     ? "Logits"
                                                                                : "OneGradient";
                           return std::string(place) +
                                  (each.param.second == kInf ? "Infinite" : "NotANumber");
                         });

TEST_F(Trainer, StoresWhereAnObserverAsksAndAtTheLastEpochsEnd) {
  Spoiled method(Spoiled::Place::nowhere, 0, 0);
  weights_.answer = Answer::checkpoint;
  EXPECT_TRUE(train(method));
  ASSERT_EQ(kept_.saved.size(), 11U) << "10 steps, and once more when the last epoch's are done";
  EXPECT_EQ(kept_.saved[3].epoch, 0);
  EXPECT_EQ(kept_.saved[3].step, 4);
  EXPECT_EQ(kept_.saved[3].images, 16);
  EXPECT_EQ(kept_.saved.back().epoch, 1);
  EXPECT_EQ(kept_.saved.back().step, 5);
}

TEST_F(Trainer, StopsAfterTheStepAndGoesOnFromThere) {
  Spoiled method(Spoiled::Place::nowhere, 0, 0);
  stop_ = [this] { return weights_.steps.size() == 3; };
  EXPECT_FALSE(train(method));
  ASSERT_EQ(kept_.saved.size(), 1U);
  EXPECT_EQ(kept_.saved[0].step, 3);
  stop_ = {};
  EXPECT_TRUE(train(method, kept_.saved[0]));
  EXPECT_EQ(weights_.steps.size(), 10U);
  EXPECT_EQ(weights_.steps[3].step, 3);
}

TEST_F(Trainer, CannotBeginBehindItsEnd) {
  Spoiled method(Spoiled::Place::nowhere, 0, 0);
  RunPoint point;
  point.epoch = 2;
  EXPECT_THROW(train(method, point), InternalError);
  point.epoch = 1;
  point.step = 6;
  EXPECT_THROW(train(method, point), InternalError);
}

TEST(RunPoint, IsReadBackExactly) {
  RunPoint point;
  point.epoch = 3;
  point.step = 14;
  point.loss = 1.0 / 3.0;
  point.contrast = 1e-300;
  point.images = std::int64_t{1} << 40;
  point.zero_features = 0.1;
  const auto text = to_json(point).dump();
  const RunPoint back = run_point_from(nlohmann::json::parse(text), "here");
  EXPECT_EQ(to_json(back).dump(), text);
  EXPECT_EQ(back.loss, point.loss);
  EXPECT_FALSE(back.mean_cosine);
  auto damaged = to_json(point);
  damaged["step"] = -1;
  EXPECT_THROW(run_point_from(damaged, "here"), DataError);
  damaged["step"] = "x";
  EXPECT_THROW(run_point_from(damaged, "here"), DataError);
  damaged.erase("step");
  EXPECT_THROW(run_point_from(damaged, "here"), DataError);
}

/// Notes what comes when.
class Course : public Observer {
 public:
  using Observer::on;
  Answer on(const RunBegin& event) override {
    log.push_back(concat("run ", event.epochs, " ", event.stage_epochs));
    return Answer::go_on;
  }
  Answer on(const StageBegin& event) override {
    log.push_back(concat("stage ", event.epoch, " ", event.step, event.fresh ? " fresh" : ""));
    return Answer::go_on;
  }
  Answer on(const EpochEnd& event) override {
    log.push_back(concat("epoch ", event.epoch, " ", event.images, " ", event.rate));
    return Answer::go_on;
  }
  Answer on(const Evaluation& event) override {
    log.push_back(concat("test ", event.epoch));
    return Answer::go_on;
  }
  std::vector<std::string> log;
};

/// Steps that only count: three of five images an epoch.
class Counting : public Steps {
 public:
  void start(const RunPoint& begin, double /*rate*/) override { point_ = begin; }
  std::optional<StepTaken> next() override {
    if (point_.step == 3) return std::nullopt;
    ++point_.step;
    point_.images += 5;
    return StepTaken{5, false};
  }
  RunPoint point() override { return point_; }
  double seconds_waited() const override { return 0.0; }

 private:
  RunPoint point_;
};

class TrainerStages : public Trainer {
 protected:
  /// Two epochs and a second stage of two, from `begin` on.
  std::vector<std::string> course(const RunPoint& begin) {
    Spoiled method(Spoiled::Place::nowhere, 0, 0);
    const auto steps = make_steps(settings_.optimiser, network_, method, loader_);
    const metrics::Predictions predictions{1, {0}, {0.0F}};
    Course course;
    Parts parts{
        network_,    *planner_,
        steps.get(), {{"test", 0, [&](nn::Network&) { return std::optional(predictions); }}},
        {&course},   &kept_,
        stop_};
    settings_.schedule.drops = {};
    settings_.schedule.factors = {};
    SecondStage stage;
    stage.epochs = 2;
    stage.steps_per_epoch = 3;
    stage.schedule = {ScheduleKind::cosine, 0.4, 0, {}, {}};
    stage.start = [&](bool fresh) {
      course.log.emplace_back(fresh ? "start" : "go on");
      return &counting_;
    };
    parts.second_stage = stage;
    EXPECT_TRUE(run(settings_, parts, begin));
    return course.log;
  }

  Counting counting_;
};

// 20 images an epoch at the rate 0.1, then 15; half cosine from 0.4: 0.4 and 0.2. The test set is
// judged at the end of each stage.
TEST_F(TrainerStages, FollowOneAnother) {
  EXPECT_THAT(course({}), ::testing::ElementsAre("run 4 2", "epoch 0 20 0.1", "epoch 1 20 0.1",
                                                 "test 1", "start", "stage 2 0 fresh",
                                                 "epoch 2 15 0.4", "epoch 3 15 0.2", "test 3"));
  ASSERT_EQ(kept_.saved.size(), 1U);
  EXPECT_EQ(kept_.saved[0].epoch, 3);
  EXPECT_EQ(kept_.saved[0].step, 3);
}

TEST_F(TrainerStages, GoOnWhereTheyWere) {
  RunPoint point;
  point.epoch = 2;
  EXPECT_THAT(course(point), ::testing::ElementsAre("run 4 2", "start", "stage 2 0 fresh",
                                                    "epoch 2 15 0.4", "epoch 3 15 0.2", "test 3"));
  point.step = 1;
  point.images = 5;
  EXPECT_THAT(course(point), ::testing::ElementsAre("run 4 2", "go on", "stage 2 1",
                                                    "epoch 2 15 0.4", "epoch 3 15 0.2", "test 3"));
  point = {};
  point.epoch = 3;
  EXPECT_THAT(course(point),
              ::testing::ElementsAre("run 4 2", "go on", "stage 3 0", "epoch 3 15 0.2", "test 3"));
  point.step = 4;
  EXPECT_THROW(course(point), InternalError);
  point = {};
  point.epoch = 4;
  EXPECT_THROW(course(point), InternalError);
}

}  // namespace
}  // namespace smcl::train

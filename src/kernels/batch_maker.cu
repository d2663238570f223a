#include <algorithm>

#include "kernels/batch_maker.h"
#include "kernels/gpu_status.h"

namespace smcl::kernels {
namespace {

constexpr const char* kAlterations = "the augmentations of an epoch";

std::size_t product(int a, int b, std::size_t c) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * c;
}

/// Uploads one list of every step, `stride` records a step.
template <class Record>
void upload_records(const std::vector<PackedStep>& steps, std::vector<Record> PackedStep::*list,
                    std::size_t stride, DeviceMemory<Record>& to, cudaStream_t stream) {
  if (to.size() == 0) return;
  std::vector<Record> records(steps.size() * stride);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::vector<Record>& own = steps[i].*list;
    std::copy(own.begin(), own.end(), records.begin() + static_cast<std::ptrdiff_t>(i * stride));
  }
  to.upload(records.data(), 0, records.size(), stream);
}

}  // namespace

DeviceImages::DeviceImages(const data::Dataset& dataset, int epoch)
    : dataset_(dataset), epoch_(epoch) {
  require_gpu();
  if (dataset.size() == 0) throw DataError("the data set is empty; nothing goes to the GPU");
  std::vector<std::uint8_t> scratch;
  const ImageView first = dataset.image(0, epoch, scratch);
  height_ = first.height;
  width_ = first.width;
  pixels_ = DeviceMemory<std::uint8_t>(
      dataset.size() * product(height_, 3, static_cast<std::size_t>(width_)), "the data set");
  labels_ = DeviceMemory<std::int32_t>(dataset.size(), "the labels");
  copy();
}

void DeviceImages::show_epoch(int epoch) {
  if (epoch == epoch_ || !dataset_.changes_by_epoch()) return;
  epoch_ = epoch;
  copy();
}

void DeviceImages::copy() {
  const std::size_t row = static_cast<std::size_t>(width_) * 3;
  std::vector<std::uint8_t> scratch;
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  pixels.reserve(pixels_.size());
  for (std::size_t i = 0; i < dataset_.size(); ++i) {
    const ImageView view = dataset_.image(i, epoch_, scratch);
    if (view.height != height_ || view.width != width_ || view.channels != 3) {
      throw DataError(concat("image ", i, " is ", view.height, "x", view.width, "x", view.channels,
                             "; expected ", height_, "x", width_, "x3 like the first of the set"));
    }
    for (int y = 0; y < height_; ++y) pixels.insert(pixels.end(), view.row(y), view.row(y) + row);
    labels.push_back(dataset_.label(i));
  }
  const Stream stream;
  pixels_.upload(pixels.data(), 0, pixels.size(), stream.get());
  labels_.upload(labels.data(), 0, labels.size(), stream.get());
  stream.wait();
}

BatchMaker::BatchMaker(const batch::ExecutorSettings& settings, const data::Dataset& dataset,
                       const DeviceImages& images, const BatchCapacity& capacity)
    : dataset_(dataset), capacity_(capacity) {
  require_gpu();
  job_.rules = batch_rules(settings, dataset);
  job_.set = images.get();
  job_.stride = capacity.batch_size;
  job_.target_stride = std::int64_t{capacity.batch_size} * capacity.target_blocks;
  if (images.height() != job_.rules.height || images.width() != job_.rules.width ||
      images.size() != dataset.size() || capacity.batch_size < 1 || capacity.steps < 1) {
    throw InternalError(concat("a maker of batches got ", images.size(), " images of ",
                               images.height(), "x", images.width(), ", batches of ",
                               capacity.batch_size, " and ", capacity.steps, " steps for a set of ",
                               dataset.size(), " images of ", job_.rules.height, "x",
                               job_.rules.width));
  }
  const DeviceLimits limits = device_limits();
  multiprocessors_ = limits.multiprocessors;
  job_.memory =
      plan_memory(job_.rules.height, job_.rules.width, limits.block_memory, job_.rules.altered);
  const auto grid = [&](bool few) {
    return grid_of(Program::batch, block_threads(job_.rules.height, job_.rules.width, few),
                   job_.memory.shared());
  };
  few_ = grid(true);
  many_ = grid(false);
  allocate();

  const std::vector<std::byte> table = value_table(settings);
  table_ = DeviceMemory<std::byte>(table.size(), "the table of values");
  job_.table = table_.get();
  const Stream stream;
  table_.upload(table.data(), 0, table.size(), stream.get());
  stream.wait();
}

void BatchMaker::allocate() {
  const auto count = static_cast<std::size_t>(capacity_.batch_size);
  const std::size_t tasks = product(capacity_.steps, capacity_.batch_size, 1);
  images_ = DeviceMemory<ImageTask>(tasks, "the plans of an epoch");
  if (capacity_.target_blocks > 0) {
    targets_ = DeviceMemory<ImageTask>(product(capacity_.target_blocks, 1, tasks),
                                       "the plans of an epoch's target images");
  }
  if (job_.rules.altered) {
    image_alterations_ = DeviceMemory<Alteration>(tasks, kAlterations);
    if (job_.rules.mix != plan::MixKind::none) {
      other_alterations_ = DeviceMemory<Alteration>(tasks, kAlterations);
    }
    if (capacity_.target_blocks > 0) {
      target_alterations_ =
          DeviceMemory<Alteration>(product(capacity_.target_blocks, 1, tasks), kAlterations);
    }
  }
  step_ = DeviceMemory<std::uint32_t>(1, "the number of the step");
  const int blocks_at_once = std::min(std::max(few_.most_blocks, many_.most_blocks),
                                      capacity_.batch_size * (1 + capacity_.target_blocks));
  workspace_ = DeviceMemory<std::byte>(product(blocks_at_once, 1, job_.memory.global()),
                                       "the working memory of saliency");
  const std::size_t blocks =
      1U + (job_.rules.plain_added ? 1U : 0U) + static_cast<std::size_t>(capacity_.target_blocks);
  const std::size_t image_bytes =
      product(job_.rules.height, job_.rules.width, job_.rules.bf16 ? 6 : 12);
  pixels_ = DeviceMemory<std::byte>(blocks * count * image_bytes, "a batch");
  labels_ = DeviceMemory<std::int32_t>(count, "labels");
  target_labels_ = DeviceMemory<std::int32_t>(count, "target labels");
  lambda_ = DeviceMemory<float>(count, "lambda");
  contrast_lambda_ = DeviceMemory<float>(count, "lambda");
  is_masked_ = DeviceMemory<std::uint8_t>(count, "masks");
  peaks_ = DeviceMemory<Point>(count, "peaks");
  boxes_ = DeviceMemory<Box>(count, "boxes");
  samples_ = DeviceMemory<std::uint32_t>(count, "samples");
  job_.images = images_.get();
  job_.targets = targets_.get();
  job_.image_alterations = image_alterations_.get();
  job_.other_alterations = other_alterations_.get();
  job_.target_alterations = target_alterations_.get();
  job_.step = step_.get();
  job_.workspace = workspace_.get();
  job_.out = {pixels_.get(), labels_.get(),          target_labels_.get(),
              lambda_.get(), contrast_lambda_.get(), is_masked_.get(),
              peaks_.get(),  boxes_.get(),           samples_.get()};
}

void BatchMaker::upload(const std::vector<PackedStep>& steps, cudaStream_t stream) {
  if (steps.size() > static_cast<std::size_t>(capacity_.steps)) {
    throw InternalError(
        concat("a maker of batches for ", capacity_.steps, " steps got ", steps.size()));
  }
  const auto stride = static_cast<std::size_t>(capacity_.batch_size);
  const auto target_stride = static_cast<std::size_t>(job_.target_stride);
  std::vector<StepShape> shapes;
  for (const PackedStep& step : steps) {
    if (step.images.size() > stride || step.targets.size() > target_stride) {
      throw InternalError(concat("a maker of batches of ", stride, " images got a step of ",
                                 step.images.size(), " and ", step.targets.size(),
                                 " target images"));
    }
    shapes.push_back(step.shape);
  }
  upload_records(steps, &PackedStep::images, stride, images_, stream);
  upload_records(steps, &PackedStep::targets, target_stride, targets_, stream);
  upload_records(steps, &PackedStep::image_alterations, stride, image_alterations_, stream);
  upload_records(steps, &PackedStep::other_alterations, stride, other_alterations_, stream);
  upload_records(steps, &PackedStep::target_alterations, target_stride, target_alterations_,
                 stream);
  shapes_ = std::move(shapes);
  seek(0, stream);
}

void BatchMaker::load(std::span<const plan::StepPlan> plans, cudaStream_t stream) {
  std::vector<PackedStep> steps;
  for (const plan::StepPlan& plan : plans) steps.push_back(pack(plan, job_.rules, dataset_));
  upload(steps, stream);
}

void BatchMaker::load_evaluation(const std::vector<std::uint32_t>& samples, cudaStream_t stream) {
  const auto most = static_cast<std::size_t>(capacity_.batch_size);
  std::vector<PackedStep> steps;
  for (std::size_t first = 0; first < samples.size(); first += most) {
    const std::size_t count = std::min(most, samples.size() - first);
    steps.push_back(pack_evaluation(samples, first, count, dataset_));
  }
  upload(steps, stream);
}

void BatchMaker::seek(int step, cudaStream_t stream) {
  launch_seek(step_.get(), static_cast<std::uint32_t>(step), stream);
}

void BatchMaker::make(const StepShape& shape, cudaStream_t stream) {
  if (shape.count < 1 || shape.count > capacity_.batch_size ||
      shape.target_blocks > capacity_.target_blocks ||
      (shape.has_plain && !job_.rules.plain_added)) {
    throw InternalError(concat("a maker of batches of ", capacity_.batch_size,
                               " images was asked for a step of ", shape.count, " in ",
                               shape.blocks(), " blocks"));
  }
  BatchJob job = job_;
  job.shape = shape;
  launch(job, job.images_in_all() <= 2 * multiprocessors_ ? few_ : many_, stream);
  launch_next(step_.get(), stream);
}

void BatchMaker::download(const StepShape& shape, batch::Batch& out, cudaStream_t stream) const {
  make_room(shape, job_.rules, out);
  const auto count = static_cast<std::size_t>(shape.count);
  pixels_.download(out.pixels.data(), out.pixels.size(), stream);
  labels_.download(out.labels.data(), count, stream);
  target_labels_.download(out.target_labels.data(), count, stream);
  lambda_.download(out.lambda.data(), count, stream);
  contrast_lambda_.download(out.contrast_lambda.data(), count, stream);
  is_masked_.download(out.is_masked.data(), count, stream);
  peaks_.download(out.peaks.data(), count, stream);
  boxes_.download(out.boxes.data(), count, stream);
  samples_.download(out.samples.data(), count, stream);
  check(cudaStreamSynchronize(stream), "making a batch");
  drop_absent(shape, out);
}

double BatchMaker::least_bytes(const StepShape& shape) const {
  const double values = 3.0 * job_.rules.height * job_.rules.width;
  const int sources = 1 + shape.target_blocks;
  return shape.count * values * (sources + shape.blocks() * (job_.rules.bf16 ? 2.0 : 4.0));
}

}  // namespace smcl::kernels

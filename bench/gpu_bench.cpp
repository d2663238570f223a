#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "core/random.h"
#include "kernels/batch_maker.h"
#include "kernels/gpu_status.h"
#include "kernels/map_maker.h"
#include "plan/planner.h"

/// What is made on the GPU before a network sees it: saliency maps and whole batches, by the
/// device's own clock, beside the time that the bytes alone would take.
namespace {

using namespace smcl;
using namespace smcl::kernels;

constexpr double kBytesASecond = 3e12;  // of an H100's memory, roughly
constexpr int kRounds = 15;             // odd, so that the median is a measurement

std::vector<std::uint8_t> smooth_noise(std::size_t count, int size) {
  RandomStream random(1, Purpose::test, 0, 0);
  const std::size_t image = static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  std::vector<std::uint8_t> pixels(count * image);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t tint = random.next();
    for (std::size_t p = 0; p < image; ++p) {
      // A ramp in a tint, and five bits of noise from a product of the position.
      const auto noise = static_cast<std::uint32_t>((i * image + p) * 2654435761U) >> 27;
      pixels[i * image + p] =
          static_cast<std::uint8_t>(((tint >> (8 * (p % 3))) & 0x7FU) + p * 64 / image + noise);
    }
  }
  return pixels;
}

/// Seconds of `work` on the device in each round, sorted, without those of `before`. One round runs
/// before them, unmeasured.
template <class Before, class Work>
std::vector<double> times(const Stream& stream, const Before& before, const Work& work) {
  before();
  work();
  stream.wait();
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    Event start;
    Event end;
    before();
    start.record(stream);
    work();
    end.record(stream);
    seconds.push_back(end.seconds_since(start));
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

template <class Work>
std::vector<double> times(const Stream& stream, const Work& work) {
  return times(
      stream, [] {}, work);
}

/// One row as JSON: microseconds an item, medians and minima; `ratio` is the share of the floor.
void print(const std::string& bench, const std::vector<double>& seconds, double items,
           double bytes) {
  const double median = seconds[seconds.size() / 2];
  const double floor = bytes / kBytesASecond;
  std::printf(
      "{\"bench\":\"gpu/%s\",\"peer\":\"its bytes at 3 TB/s\",\"unit\":\"us\",\"ours\":%.5f,"
      "\"theirs\":%.5f,\"ratio\":%.3f,\"ours_min\":%.5f,\"items_a_second\":%.0f,"
      "\"items\":%.0f,\"device\":\"%s\"}\n",
      bench.c_str(), 1e6 * median / items, 1e6 * floor / items, floor / median,
      1e6 * seconds.front() / items, items / median, items, device_name().c_str());
  std::fflush(stdout);
}

void copy() {
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  const DeviceMemory<std::uint8_t> from(kBytes, "a copy");
  const DeviceMemory<std::uint8_t> to(kBytes, "a copy");
  const Stream stream;
  const auto work = [&] {
    check(cudaMemcpyAsync(to.get(), from.get(), kBytes, cudaMemcpyDeviceToDevice, stream.get()),
          "a copy");
  };
  print("copy of 1 GiB", times(stream, work), 1, 2.0 * static_cast<double>(kBytes));
}

void maps(Map map, const char* name, int size, std::size_t count) {
  const std::size_t image = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  const std::vector<std::uint8_t> pixels = smooth_noise(count, size);
  DeviceMemory<std::uint8_t> images(pixels.size(), "images");
  const DeviceMemory<std::uint8_t> out(count * image, "maps");
  const DeviceMemory<Point> peaks(count, "peaks");
  const Stream stream;
  images.upload(pixels.data(), 0, pixels.size(), stream.get());
  MapMaker maker(size, size, map);
  const auto work = [&](std::uint8_t* where) {
    return [&, where] {
      maker.make(images.get(), static_cast<int>(count), where, peaks.get(), stream.get());
    };
  };
  const std::string bench = concat("saliency/", name, "/", size);
  const double items = static_cast<double>(count);
  const auto bytes = static_cast<double>(count * image);
  print(bench, times(stream, work(out.get())), items, 4.0 * bytes);
  print(bench + "/peaks only", times(stream, work(nullptr)), items, 3.0 * bytes);
}

enum class Sort { plain, masked, contrast };

plan::PlannerSettings planner_settings(Sort sort, int batch_size) {
  plan::PlannerSettings settings;
  settings.batch_size = batch_size;
  settings.mask.start = {0.0, true};
  settings.mask.prob = sort == Sort::plain ? 0.0 : 1.0;
  if (sort == Sort::contrast) {
    settings.target_classes = true;
    settings.target_images = plan::TargetImages::masked_steps;
  }
  return settings;
}

/// Whole steps of an epoch over `set`, in graphs of many steps and launched one by one.
void batches(const data::ResidentDataset& set, const DeviceImages& images, Sort sort,
             const char* name, int batch_size) {
  constexpr int kSteps = 32;
  std::vector<std::uint32_t> samples;
  std::vector<std::int32_t> labels;
  for (std::uint32_t i = 0; i < set.size(); ++i) {
    samples.push_back(i);
    labels.push_back(set.label(i));
  }
  const plan::Planner planner(planner_settings(sort, batch_size), samples, labels, set.classes());
  std::vector<plan::StepPlan> plans;
  for (int step = 0; step < std::min(kSteps, planner.steps_per_epoch() - 1); ++step) {
    plans.push_back(planner.plan(0, step));
  }
  batch::ExecutorSettings settings;
  settings.precision = batch::Precision::bf16;
  settings.mask = planner.settings().mask;
  const auto steps = static_cast<int>(plans.size());
  BatchMaker maker(settings, set, images, {batch_size, steps, sort == Sort::contrast});
  const Stream stream;
  maker.load(plans, stream.get());
  const auto make_all = [&] {
    for (int step = 0; step < steps; ++step) maker.make(maker.shape(step), stream.get());
  };
  const Graph graph(stream, make_all);
  const auto rewind = [&] { maker.seek(0, stream.get()); };
  const double items = static_cast<double>(steps) * batch_size;
  const double bytes = steps * maker.least_bytes(maker.shape(0));
  const std::string bench = concat("batch/", name, "/", set.height(), "/bf16/", batch_size);
  print(bench + "/graph", times(stream, rewind, [&] { graph.launch(stream); }), items, bytes);
  print(bench + "/launched", times(stream, rewind, make_all), items, bytes);
}

/// Planning, packing and uploading, by the host's clock: what the host does in an epoch.
void loading(const data::ResidentDataset& set, const DeviceImages& images) {
  constexpr int kSteps = 64;
  std::vector<std::uint32_t> samples;
  std::vector<std::int32_t> labels;
  for (std::uint32_t i = 0; i < set.size(); ++i) {
    samples.push_back(i);
    labels.push_back(set.label(i));
  }
  const plan::Planner planner(planner_settings(Sort::contrast, 128), samples, labels,
                              set.classes());
  BatchMaker maker({}, set, images, {128, kSteps, 1});
  const Stream stream;
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<plan::StepPlan> plans;
    for (int step = 0; step < kSteps; ++step) plans.push_back(planner.plan(0, step));
    maker.load(plans, stream.get());
    stream.wait();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  print("plan, pack and upload of 64 steps of 128 with targets", seconds, kSteps * 128.0,
        kSteps * 128.0 * 2.0 * sizeof(ImageTask));
}

data::ResidentDataset random_set(std::size_t count, int size) {
  std::vector<std::int32_t> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::int32_t>(i % 10);
  return {size, size, smooth_noise(count, size), std::move(labels),
          std::vector<std::string>(10, "class")};
}

void run() {
  copy();
  maps(Map::fine_grained, "fine_grained", 32, 65536);
  maps(Map::fine_grained, "fine_grained", 224, 2048);
  maps(Map::joint, "joint", 32, 65536);
  const data::ResidentDataset set = random_set(50000, 32);
  const DeviceImages images(set, 0);
  for (const int batch_size : {128, 1024}) {
    batches(set, images, Sort::plain, "plain", batch_size);
    batches(set, images, Sort::masked, "masked", batch_size);
    batches(set, images, Sort::contrast, "masked, with targets", batch_size);
  }
  loading(set, images);
  const data::ResidentDataset photographs = random_set(1500, 224);
  const DeviceImages photograph_images(photographs, 0);
  batches(photographs, photograph_images, Sort::plain, "plain", 128);
  batches(photographs, photograph_images, Sort::masked, "masked", 128);
}

}  // namespace

int main() {
  if (const std::string why = why_no_gpu(); !why.empty()) {
    std::fprintf(stderr, "bench_gpu: %s\n", why.c_str());
    return 2;
  }
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_gpu: %s\n", error.what());
    return 1;
  }
  return 0;
}

#include "kernels/gpu.h"

#include <cstdint>
#include <vector>

#include "kernels/cuda/gpu_case.h"

namespace smcl::kernels {
namespace {

class Gpu : public testing::GpuCase {};

// Holds with and without a GPU: either there is nothing to say, or the line says what to do.
TEST(GpuStatus, SaysWhatToDoWhereNoneCanBeUsed) {
  const std::string why = why_no_gpu();
  if (why.empty()) {
    EXPECT_NO_THROW(require_gpu());
    EXPECT_GT(device_limits().multiprocessors, 0);
    return;
  }
  EXPECT_THROW(require_gpu(), UsageError);
  EXPECT_NE(why.find("use the CPU"), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos);
}

TEST(GpuStatus, ErrorsOfTheWrongBuildAreUsageErrors) {
  EXPECT_THROW(check(cudaErrorInsufficientDriver, "a test"), UsageError);
  EXPECT_THROW(check(cudaErrorNoDevice, "a test"), UsageError);
  EXPECT_THROW(check(cudaErrorNoKernelImageForDevice, "a test"), UsageError);
  EXPECT_THROW(check(cudaErrorIllegalAddress, "a test"), DeviceError);
  EXPECT_NO_THROW(check(cudaSuccess, "a test"));
}

TEST_F(Gpu, SaysHowMuchMemoryIsShort) {
  constexpr std::size_t kPetabyte = std::size_t{1} << 50;
  try {
    const DeviceMemory<std::uint8_t> memory(kPetabyte, "a test");
    FAIL() << "a device with a petabyte of memory";
  } catch (const DeviceError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("out of GPU memory: 1073741824 MiB for a test"), std::string::npos) << text;
    EXPECT_NE(text.find("use smaller batches"), std::string::npos) << text;
  }
  // The device goes on.
  const DeviceMemory<std::uint8_t> memory(16, "a test");
  EXPECT_NE(memory.get(), nullptr);
}

TEST_F(Gpu, CopiesThereAndBack) {
  const std::vector<int> values{5, 7, -1, 12};
  DeviceMemory<int> memory(4, "a test");
  const Stream stream;
  memory.upload(values.data(), 0, 2, stream.get());
  memory.upload(values.data() + 2, 2, 2, stream.get());
  std::vector<int> back(4);
  memory.download(back.data(), 4, stream.get());
  stream.wait();
  EXPECT_EQ(back, values);
  const DeviceMemory<int> moved = std::move(memory);
  EXPECT_NE(moved.get(), nullptr);
}

TEST_F(Gpu, AFailedCaptureLeavesTheStreamUsable) {
  const Stream stream;
  EXPECT_THROW(Graph(stream, [] { throw DataError("in the middle"); }), DataError);
  EXPECT_NO_THROW(stream.wait());
}

TEST_F(Gpu, EventsMeasure) {
  const Stream stream;
  Event start;
  Event end;
  start.record(stream);
  end.record(stream);
  EXPECT_GE(end.seconds_since(start), 0.0);
}

}  // namespace
}  // namespace smcl::kernels

#include "kernels/gpu.h"
#include "kernels/gpu_status.h"

namespace smcl::kernels {
namespace {

/// Whether the device can run what this build holds shows on any kernel of it.
__global__ void probe() {}

int attribute(cudaDeviceAttr name) {
  int device = 0;
  int value = 0;
  check(cudaGetDevice(&device), "asking for the current device");
  check(cudaDeviceGetAttribute(&value, name, device), "asking for the device's limits");
  return value;
}

std::string wrong_architecture() {
  int device = 0;
  cudaDeviceProp found{};
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaGetDeviceProperties(&found, device) != cudaSuccess) {
    return "this build holds no code for the device; configure with -DCMAKE_CUDA_ARCHITECTURES=";
  }
  return concat("this build holds no code for ", found.name, " (compute capability ", found.major,
                ".", found.minor, "); configure with -DCMAKE_CUDA_ARCHITECTURES=", found.major,
                found.minor, " (80 or newer), or use the CPU");
}

/// What to do about an error that says that this build cannot run here; empty for others.
std::string unusable(cudaError_t error) {
  switch (error) {
    case cudaErrorInsufficientDriver:
      return "no NVIDIA driver was found, or it is older than CUDA 13.0 asks for; install driver "
             "580 or newer (nvidia-smi shows it), or use the CPU";
    case cudaErrorNoDevice:
      return "the NVIDIA driver sees no GPU; look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use "
             "the CPU";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
      return wrong_architecture();
    default:
      return {};
  }
}

std::string ask() {
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count == 0) error = cudaErrorNoDevice;
  cudaFuncAttributes attributes{};
  if (error == cudaSuccess) error = cudaFuncGetAttributes(&attributes, probe);
  static_cast<void>(cudaGetLastError());  // it is told here
  if (error == cudaSuccess) return {};
  const std::string text = unusable(error);
  return !text.empty() ? text
                       : concat("the GPU cannot be used: ", cudaGetErrorString(error),
                                "; look at nvidia-smi, or use the CPU");
}

}  // namespace

std::string why_no_gpu() {
  static const std::string answer = ask();
  return answer;
}

void require_gpu() {
  if (const std::string why = why_no_gpu(); !why.empty()) throw UsageError(why);
}

void check(cudaError_t result, const std::string& what) {
  if (result == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  if (const std::string text = unusable(result); !text.empty()) throw UsageError(text);
  throw DeviceError(concat("the GPU failed at ", what, ": ", cudaGetErrorString(result), " (",
                           cudaGetErrorName(result),
                           "); if it happens again, look at nvidia-smi "
                           "and at the kernel's log"));
}

DeviceLimits device_limits() {
  return {attribute(cudaDevAttrMultiProcessorCount),
          static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin))};
}

std::string device_name() {
  int device = 0;
  cudaDeviceProp found{};
  check(cudaGetDevice(&device), "asking for the current device");
  check(cudaGetDeviceProperties(&found, device), "asking for the device's name");
  return found.name;
}

void* detail::allocate(std::size_t bytes, const std::string& what) {
  void* memory = nullptr;
  if (bytes == 0) return memory;
  const cudaError_t result = cudaMalloc(&memory, bytes);
  if (result == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    std::size_t free = 0;
    std::size_t total = 0;
    static_cast<void>(cudaMemGetInfo(&free, &total));
    throw DeviceError(concat("out of GPU memory: ", bytes >> 20, " MiB for ", what, ", of ",
                             total >> 20, " MiB ", free >> 20,
                             " MiB are free; use smaller batches, or end other programs on the "
                             "device (nvidia-smi lists them)"));
  }
  check(result, concat("allocating ", bytes, " bytes for ", what));
  return memory;
}

void detail::release(void* memory) noexcept {
  static_cast<void>(cudaFree(memory));
}

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}

Stream::~Stream() {
  static_cast<void>(cudaStreamDestroy(stream_));
}

void Stream::wait() const {
  check(cudaStreamSynchronize(stream_), "waiting for a stream");
}

Event::Event() {
  check(cudaEventCreate(&event_), "making an event");
}

Event::~Event() {
  static_cast<void>(cudaEventDestroy(event_));
}

void Event::record(const Stream& stream) {
  check(cudaEventRecord(event_, stream.get()), "recording an event");
}

double Event::seconds_since(const Event& start) const {
  check(cudaEventSynchronize(event_), "waiting for an event");
  float milliseconds = 0.0F;
  check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "reading an event");
  return 1e-3 * static_cast<double>(milliseconds);
}

Graph::Graph(const Stream& stream, const std::function<void()>& work) {
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
        "starting a capture");
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    static_cast<void>(cudaStreamEndCapture(stream.get(), &graph));
    static_cast<void>(cudaGraphDestroy(graph));
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &graph), "ending a capture");
  const cudaError_t result = cudaGraphInstantiate(&executable_, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(result, "making a graph");
}

Graph::~Graph() {
  static_cast<void>(cudaGraphExecDestroy(executable_));
}

void Graph::launch(const Stream& stream) const {
  check(cudaGraphLaunch(executable_, stream.get()), "launching a graph");
}

}  // namespace smcl::kernels

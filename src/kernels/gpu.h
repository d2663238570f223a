#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "core/error.h"

/// Memory, streams, events and graphs of the current device. CUDA builds only.
namespace smcl::kernels {

/// The device or its driver refused something: memory, a copy, a launch.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& text) : Error(ExitCode::io, text) {}
};

/// Throws where `result` is an error, in one line with what to do: UsageError where this machine
/// cannot run this build, DeviceError for all else. `what` was tried.
void check(cudaError_t result, const std::string& what);

/// What a launch depends on.
struct DeviceLimits {
  int multiprocessors = 0;
  std::size_t block_memory = 0;  ///< bytes of shared memory that a block may ask for
};
DeviceLimits device_limits();
std::string device_name();

namespace detail {
void* allocate(std::size_t bytes, const std::string& what);
void release(void* memory) noexcept;
}  // namespace detail

/// `count` values in device memory, not initialised.
template <class T>
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// `what` is named where memory is short. Throws DeviceError.
  DeviceMemory(std::size_t count, const std::string& what)
      : values_(static_cast<T*>(detail::allocate(count * sizeof(T), what))), count_(count) {}
  DeviceMemory(DeviceMemory&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~DeviceMemory() { detail::release(values_); }

  T* get() const { return values_; }
  std::size_t size() const { return count_; }

  /// Copies [first, first + count) here, in order with the stream; `from` may change afterwards
  /// where it is ordinary (pageable) memory.
  void upload(const T* from, std::size_t first, std::size_t count, cudaStream_t stream) {
    check(cudaMemcpyAsync(values_ + first, from, count * sizeof(T), cudaMemcpyHostToDevice, stream),
          "copying to the device");
  }
  /// Copies the first `count` values to `to`; complete when the stream is.
  void download(T* to, std::size_t count, cudaStream_t stream) const {
    check(cudaMemcpyAsync(to, values_, count * sizeof(T), cudaMemcpyDeviceToHost, stream),
          "copying from the device");
  }

 private:
  T* values_ = nullptr;
  std::size_t count_ = 0;
};

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }
  /// Waits for all work; throws the error of any of it.
  void wait() const;

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(const Stream& stream);
  /// Waits for both.
  double seconds_since(const Event& start) const;

 private:
  cudaEvent_t event_ = nullptr;
};

/// Work captured once from a stream, to be launched many times.
class Graph {
 public:
  /// `work` enqueues on `stream` only what can be captured: launches and device copies.
  Graph(const Stream& stream, const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  void launch(const Stream& stream) const;

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace smcl::kernels

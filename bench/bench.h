#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "core/cpu.h"

/// Measuring two ways of doing the same work side by side. The machine may be busy: only the
/// ratio of one run tells, so the two sides alternate and the medians are compared.
namespace smcl::bench {

/// Seconds a call of `work`, over `calls` calls.
inline double seconds_a_call(const std::function<void()>& work, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) work();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  return spent.count() / calls;
}

/// One side: what is called, and how many items (images, bytes...) a call handles.
struct Side {
  std::function<void()> work;
  double items = 1;
};

struct Options {
  int rounds = 25;              ///< alternations; odd, so that the median is a measurement
  double round_seconds = 0.02;  ///< least time of one side in one round
};

/// Seconds an item, sorted.
struct Times {
  std::vector<double> ours;
  std::vector<double> theirs;
  static double median(const std::vector<double>& sorted) { return sorted[sorted.size() / 2]; }
};

inline int calls_for(const Side& side, double seconds) {
  const double first = seconds_a_call(side.work, 1);
  const double warm = std::min(first, seconds_a_call(side.work, 1));
  return std::max(1, static_cast<int>(seconds / std::max(warm, 1e-9)));
}

inline Times alternate(const Side& ours, const Side& theirs, const Options& options = {}) {
  const int our_calls = calls_for(ours, options.round_seconds);
  const int their_calls = calls_for(theirs, options.round_seconds);
  Times times;
  for (int round = 0; round < options.rounds; ++round) {
    times.ours.push_back(seconds_a_call(ours.work, our_calls) / ours.items);
    times.theirs.push_back(seconds_a_call(theirs.work, their_calls) / theirs.items);
  }
  std::sort(times.ours.begin(), times.ours.end());
  std::sort(times.theirs.begin(), times.theirs.end());
  return times;
}

/// Prints one row as JSON: medians and minima in microseconds an item; `ratio` says how many times
/// faster ours is by the medians. The texts must need no escaping.
inline void print(const std::string& bench, const std::string& peer, const Times& times,
                  int threads, const std::string& isa) {
  const double ours = Times::median(times.ours);
  const double theirs = Times::median(times.theirs);
  std::printf(
      "{\"bench\":\"%s\",\"peer\":\"%s\",\"unit\":\"us\",\"ours\":%.3f,\"theirs\":%.3f,"
      "\"ratio\":%.2f,\"ours_min\":%.3f,\"theirs_min\":%.3f,\"ratio_min\":%.2f,\"threads\":%d,"
      "\"cpu\":\"%s\",\"isa\":\"%s\"}\n",
      bench.c_str(), peer.c_str(), 1e6 * ours, 1e6 * theirs, theirs / ours, 1e6 * times.ours[0],
      1e6 * times.theirs[0], times.theirs[0] / times.ours[0], threads, cpu_model().c_str(),
      isa.c_str());
  std::fflush(stdout);
}

}  // namespace smcl::bench

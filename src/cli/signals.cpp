#include "cli/signals.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "core/error.h"

namespace smcl::cli {
namespace {

std::atomic<int> first_signal{0};
std::atomic<std::int64_t> first_time{0};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "needed in a signal handler");

/// In milliseconds.
std::int64_t now() {
  struct timespec time {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

/// One signal can come twice: timeout(1) sends it to its child and then to the child's group.
constexpr std::int64_t kEcho = 250;

extern "C" void on_signal(int signal) {
  if (int none = 0; first_signal.compare_exchange_strong(none, signal)) {
    first_time = now();
    return;
  }
  if (signal == first_signal && now() - first_time < kEcho) return;
  ::_exit(static_cast<int>(ExitCode::stopped));
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  constexpr std::array kSignals{SIGTERM, SIGINT, SIGUSR1};
  for (const int signal : kSignals) sigaddset(&action.sa_mask, signal);  // one handler at a time
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() {
  return first_signal.load() != 0;
}

}  // namespace smcl::cli

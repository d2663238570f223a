#include "cli/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "core/error.h"

namespace smcl::cli {
namespace {

std::atomic<int> signals{0};
static_assert(std::atomic<int>::is_always_lock_free, "needed in a signal handler");

extern "C" void on_signal(int /*signal*/) {
  if (signals.fetch_add(1) > 0) ::_exit(static_cast<int>(ExitCode::stopped));
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() {
  return signals.load() > 0;
}

}  // namespace smcl::cli

#pragma once

namespace smcl::cli {

/// From now on SIGTERM, SIGINT and SIGUSR1 ask for a stop, which `stop_requested` then tells; a
/// second one ends the process at once, with exit code 75.
void catch_signals();
bool stop_requested();

}  // namespace smcl::cli

#pragma once

namespace smcl::cli {

/// From now on SIGTERM, SIGINT and SIGUSR1 ask for a stop, which `stop_requested` then tells; a
/// second one ends the process at once, with exit code 75. Whoever reads the output and ends (tee,
/// less) ends no training: what cannot be written to a pipe is lost, or an error at the end.
void catch_signals();
bool stop_requested();

}  // namespace smcl::cli

#pragma once

namespace smcl::cli {

/// Lets threads that wait for work sleep after a moment. LibTorch's OpenMP reads how long they spin
/// from the environment when it is loaded, before main, and by default spins for milliseconds:
/// beside another busy process that takes the CPU from the thread that is waited for. Where nothing
/// is set there, this starts the program again with GOMP_SPINCOUNT; commands that compute nothing
/// much go on as they are.
void limit_spinning(int argc, char** argv);

}  // namespace smcl::cli

#pragma once

namespace smcl::command {

/// Goes on as the whole program, which is linked with LibTorch and takes a quarter of a second to
/// start; `place` says where it lies as seen from this program's folder, `argv` ends with a null
/// pointer. Comes back never: throws IoError where it cannot be started.
///
/// Lets threads that wait for work sleep after a moment: LibTorch's OpenMP reads how long they spin
/// from the environment when it is loaded, and by default it is milliseconds, which beside another
/// busy process takes the CPU from the thread that is waited for. So GOMP_SPINCOUNT is set here,
/// where neither it nor OMP_WAIT_POLICY is.
[[noreturn]] void start_whole(const char* place, char** argv);

}  // namespace smcl::command

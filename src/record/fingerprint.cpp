#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include "core/cpu.h"
#include "core/error.h"
#include "core/version.h"
#include "record/run_folder.h"

namespace smcl::record {

nlohmann::json base_fingerprint() {
  utsname system{};
  const bool known = ::uname(&system) == 0;
  return {
      {"format_version", 1},
      {"version", version()},
      {"revision", revision()},
      {"compiler", compiler()},
      {"c_library", concat("glibc ", ::gnu_get_libc_version())},
      {"system", known ? concat(system.sysname, " ", system.release, " ", system.machine) : "?"},
      {"cpu", cpu_model()},
      {"isa", name(best_isa())},
      {"cpus", usable_cpus()},
  };
}

}  // namespace smcl::record

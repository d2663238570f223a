// The whole program, which src/command/main/main.cpp starts.
#include <sys/prctl.h>

#include "cli/commands.h"

int main(int argc, char** argv) {
  prctl(PR_SET_NAME, "smcl");  // what ps and pkill call it, as what was started
  return smcl::cli::run(argc, argv);
}

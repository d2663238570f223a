#include "cli/commands.h"

int main(int argc, char** argv) {
  return smcl::cli::run(argc, argv);
}

#include "cli/commands.h"
#include "cli/spinning.h"

int main(int argc, char** argv) {
  smcl::cli::limit_spinning(argc, argv);
  return smcl::cli::run(argc, argv);
}

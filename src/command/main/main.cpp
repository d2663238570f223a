// What a user starts as `smcl`. It has no LibTorch: it lists runs itself and is the whole program,
// src/cli/main/main.cpp, for all else.
#include <string_view>

#include "command/index.h"
#include "command/run.h"
#include "command/whole.h"

int main(int argc, char** argv) {
  using namespace smcl::command;
  if (argc < 2 || std::string_view(argv[1]) != "index") {
    return exit_code_after([argv] { start_whole(SMCL_WHOLE_PROGRAM, argv); });
  }
  CLI::App app;
  app.name("smcl");
  add_index(app, [argv]() -> std::vector<std::string> { start_whole(SMCL_WHOLE_PROGRAM, argv); });
  return run(app, argc, argv);
}

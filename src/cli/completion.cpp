#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/manual.h"
#include "core/version.h"

namespace smcl::cli {

void add_manual(CLI::App& app) {
  CLI::App* command = app.add_subcommand("manual", "print the manual page (roff)");
  command->footer("Example:\n  smcl manual | man -l -");
  command->callback([&app] { std::cout << manual_page(app, std::string(version())); });
}

void add_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "print a completion script for a shell");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->footer("Example:\n  source <(smcl completion bash)");
  command->callback([&app, shell] { std::cout << completion_script(app, *shell); });
}

}  // namespace smcl::cli

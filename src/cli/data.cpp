#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "command/tree.h"
#include "core/error.h"
#include "data/info.h"
#include "data/verify.h"
#include "experiment/recipe.h"

namespace smcl::cli {
namespace {

struct Options {
  std::string recipe;
  std::vector<std::string> set;
  std::string format = "text";
};

/// Section [data] of a recipe, or the defaults, with overrides.
experiment::Recipe read(const Options& options) {
  if (!options.recipe.empty()) return experiment::load_recipe(options.recipe, options.set);
  config::Document document;
  for (const std::string& assignment : options.set) document.set(assignment);
  return experiment::resolve_recipe(document, "data");
}

void info(const Options& options) {
  const experiment::Recipe recipe = read(options);
  const data::Info found = data::describe(recipe.data, data::open_data(recipe.data),
                                          {recipe.groups.many_above, recipe.groups.few_below});
  std::cout << (options.format == "json" ? data::to_json(found).dump(2) + "\n"
                                         : data::to_text(found));
}

void verify(const Options& options) {
  const data::Report report = data::verify(read(options).data);
  std::cout << (options.format == "json" ? data::to_json(report).dump(2) + "\n"
                                         : data::to_text(report));
  if (!report.passed()) {
    throw DataError(
        concat(report.name, " is damaged: see the failed checks above; bring its files anew"));
  }
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& text,
                      void (*act)(const Options&)) {
  auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand(name, text);
  command->add_option("recipe", options->recipe, "recipe whose data section is used");
  command->add_option("--set", options->set, "data.key=value (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command::add_format(*command, options->format, "", {"text", "json"});
  command->callback([options, act] { act(*options); });
  return command;
}

}  // namespace

void add_data(CLI::App& app) {
  CLI::App* command = app.add_subcommand("data", "what is in a data set, and whether it is whole");
  command->require_subcommand(1);
  add_command(*command, "info", "classes, counts, groups and ratio", info)
      ->footer(
          "Examples:\n  smcl data info recipes/scenes/ce.toml\n"
          "  smcl data info --set data.name=cifar10 --set data.dir=DIR --set data.ratio=50");
  add_command(*command, "verify", "structure of the files, and the archive's checksum", verify)
      ->footer("Example:\n  smcl data verify --set data.name=cifar10 --set data.dir=DIR");
}

}  // namespace smcl::cli

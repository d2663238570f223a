#include "experiment/explain.h"

#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/stored.h"
#include "command/render.h"
#include "command/tree.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/explain_mixes.h"
#include "experiment/run.h"
#include "experiment/session.h"
#include "image/png.h"

namespace smcl::cli {
namespace {

struct Options {
  std::string what;
  std::vector<std::string> set;
  std::string picture;
  int count = 10;
  int judged = 1000;
  std::string format = "text";
};

experiment::Recipe read(const Options& options) {
  if (!std::filesystem::is_directory(options.what)) {
    return experiment::load_recipe(options.what, options.set);
  }
  return stored_recipe(record::RunFolder::open(options.what), options.set);
}

void draw(const experiment::Recipe& recipe, const data::Opened& data, const Options& options) {
  const auto write = [&](std::size_t count, const char* what, const Image& picture) {
    write_png(options.picture, picture.view());
    log::info(concat("picture of ", count, " ", what, " images: ", options.picture));
  };
  if (experiment::mixes_images(recipe)) {
    const auto images = experiment::explain_mixes(recipe, data, options.count);
    write(images.size(), "mixed", experiment::mixes_grid(images, data));
  } else {
    const bool masks = experiment::masks_images(recipe);
    const auto images = experiment::explain_images(recipe, data, options.count);
    write(images.size(), masks ? "masked" : "augmented",
          experiment::explain_grid(images, data, masks));
  }
}

void explain(const Options& options) {
  if (!options.picture.empty() && !options.picture.ends_with(".png")) {
    throw UsageError(concat("-o ", options.picture, ": expected a name that ends in .png"));
  }
  const experiment::Recipe recipe = read(options);
  const data::Opened data = data::open_data(recipe.data);
  if (std::filesystem::is_directory(options.what) && data_overrides(options.set).empty()) {
    experiment::check_data_of(record::RunFolder::open(options.what), data);
  }
  if (!options.picture.empty()) draw(recipe, data, options);
  report::Table table({{"mask", "mask"},
                       {"detector", "detector"},
                       {"looks at", "saliency_on"},
                       {"peak on object %", "peak_on_object", 1, 100.0},
                       {"object covered %", "object_covered", 1, 100.0},
                       {"box area %", "box_area", 1, 100.0}});
  for (const auto& row : experiment::judge_places(recipe, data, options.judged)) {
    const auto text = [](const std::string& value) {
      return value.empty() ? report::Cell{} : report::Cell{value};
    };
    table.add_row({row.kind, text(row.detector), text(row.on), row.peak_on_object,
                   row.object_covered, row.box_area});
  }
  if (table.rows() > 0) {
    std::cout << command::render(table, options.format);
  } else if (options.picture.empty()) {
    throw UsageError(
        "this data set does not know where its objects are; ask for a picture with -o FILE.png");
  }
}

}  // namespace

void add_explain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("explain",
                         "what gets augmented, masked or mixed: a picture, and on scenes how "
                         "well each detector finds the object");
  command->add_option("what", options->what, "recipe file or run folder")->required();
  command->add_option("-o,--output", options->picture, "PNG file to write");
  command->add_option("--count", options->count, "images in the picture")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  command->add_option("--judged", options->judged, "images that detectors are judged on (scenes)")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--set", options->set, "override a setting: section.key=value (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command::add_format(*command, options->format, "of the table: ");
  command->footer("Example:\n  smcl explain recipes/scenes/smcl.toml -o masks.png");
  command->callback([options] { explain(*options); });
}

}  // namespace smcl::cli

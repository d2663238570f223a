#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "command/render.h"
#include "command/tree.h"
#include "core/config_text.h"
#include "core/error.h"
#include "experiment/recipe.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> words;
  std::string format = "text";
};

bool has_word(const std::string& key, const std::string& word) {
  return key.find(word) != std::string::npos;
}

/// Every setting, or those whose key contains one of the words.
std::vector<config::Resolved> wanted(const std::vector<std::string>& words) {
  std::vector<config::Resolved> settings = experiment::default_settings();
  std::vector<std::string> keys;
  for (const config::Resolved& setting : settings) keys.push_back(setting.key);
  for (const std::string& word : words) {
    const auto has = [&](const std::string& key) { return has_word(key, word); };
    if (std::any_of(keys.begin(), keys.end(), has)) continue;
    const std::string hint = config::hint(word, keys);
    throw UsageError(concat("settings ", word, ": no key contains it",
                            hint.empty() ? "; 'smcl settings' lists all" : hint));
  }
  std::erase_if(settings, [&](const config::Resolved& setting) {
    const auto in_key = [&](const std::string& word) { return has_word(setting.key, word); };
    return !words.empty() && std::none_of(words.begin(), words.end(), in_key);
  });
  return settings;
}

void show(const Options& options) {
  report::Table table({{"setting", "key"}, {"default", "default"}, {"what [takes]", "doc"}});
  for (const config::Resolved& setting : wanted(options.words)) {
    table.add_row({setting.key, setting.value, setting.doc});
  }
  std::cout << (options.format == "markdown" ? table.markdown()
                                             : command::render(table, options.format));
}

}  // namespace

void add_settings(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("settings", "every setting of a recipe: default, meaning, what it takes");
  command->add_option("words", options->words, "only settings whose key contains one of these");
  command::add_format(*command, options->format, "", {"text", "json", "csv", "markdown"});
  command->footer(
      "Settings are set in a recipe, below [section], or by --set section.key=value.\n"
      "Examples:\n"
      "  smcl settings\n"
      "  smcl settings mask. saliency.");
  command->callback([options] { show(*options); });
}

}  // namespace smcl::cli

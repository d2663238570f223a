#include "command/usage.h"

#include <algorithm>
#include <vector>

#include "command/tree.h"
#include "core/config.h"
#include "core/error.h"

namespace smcl::command {
namespace {

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::string advice(const CLI::App& app, const std::string& word,
                   const std::vector<std::string>& known) {
  const std::string near = config::nearest(word, known);
  if (!near.empty()) return concat("; did you mean '", near, "'?");
  return concat("; see '", path_of(app), " --help'");
}

/// For the first word that the command did not take.
std::string unknown_word(const CLI::App& app, const std::string& word) {
  if (word.size() > 1 && word.front() == '-') {
    const std::string name = word.substr(0, word.find('='));
    return concat("unknown option '", name, "'", advice(app, name, options_of(app)));
  }
  const std::vector<std::string> commands = names_of(commands_of(app));
  const char* what = commands.empty() ? "unexpected argument '" : "unknown command '";
  return concat(what, word, "'", advice(app, word, commands));
}

std::string missing_command(const CLI::App& app) {
  std::string list;
  for (const std::string& name : names_of(commands_of(app)))
    list += (list.empty() ? "" : ", ") + name;
  return concat("'", path_of(app), "' needs a command: ", list);
}

}  // namespace

std::string usage_text(const CLI::App& app, const CLI::ParseError& problem) {
  const bool about_words = dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr ||
                           dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr;
  const CLI::App* at = &app;
  for (;;) {
    const std::vector<std::string> words = at->remaining();
    if (about_words && !words.empty()) return unknown_word(*at, words.front());
    const std::vector<CLI::App*> chosen = at->get_subcommands();
    if (chosen.empty()) break;
    at = chosen.front();
  }
  if (about_words && !commands_of(*at).empty()) return missing_command(*at);
  std::string text = problem.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return concat(text, "; see '", path_of(*at), " --help'");
}

}  // namespace smcl::command

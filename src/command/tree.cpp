#include "command/tree.h"

#include <charconv>
#include <cstdint>
#include <sstream>
#include <system_error>

#include "core/config_text.h"
#include "core/error.h"

namespace smcl::command {

std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

CLI::Validator whole_number() {
  return {[](std::string& text) {
            std::uint64_t value = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, failure] = std::from_chars(text.data(), end, value);
            const bool good = failure == std::errc() && stop == end;
            return good ? std::string()
                        : concat("got '", text, "', expected whole numbers from 0 up");
          },
          ""};
}

void add_format(CLI::App& command, std::string& format, const std::string& of,
                const std::vector<std::string>& words) {
  command.add_option("--format", format, of + config::join(words))
      ->check(CLI::IsMember(words))
      ->capture_default_str();
}

std::vector<std::string> words_of(const CLI::Option& option) {
  // CLI::IsMember writes the type as "TEXT:{text,json,csv}".
  const std::string type = option.get_type_name();
  const auto begin = type.find('{');
  const auto end = type.find('}', begin == std::string::npos ? 0 : begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<std::string> words;
  std::istringstream list(type.substr(begin + 1, end - begin - 1));
  for (std::string word; std::getline(list, word, ',');) words.push_back(word);
  return words;
}

}  // namespace smcl::command

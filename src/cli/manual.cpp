#include "cli/manual.h"

#include "command/tree.h"
#include "core/error.h"

namespace smcl::cli {
namespace {

/// Text as roff takes it literally.
std::string escape(const std::string& text) {
  std::string out;
  bool at_line_start = true;
  for (const char c : text) {
    if (at_line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    at_line_start = c == '\n';
  }
  return out;
}

/// "--format {text,json,csv}" or, of a positional, "recipes".
std::string heading(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::string text;
  for (const std::string& name : option.get_snames())
    text += concat(text.empty() ? "" : ", ", "-", name);
  for (const std::string& name : option.get_lnames())
    text += concat(text.empty() ? "" : ", ", "--", name);
  const auto words = command::words_of(option);
  if (!words.empty()) {
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ",") + word;
    return concat(text, " {", list, "}");
  }
  return option.get_type_size() == 0 ? text : concat(text, " ", option.get_type_name());
}

std::string options_text(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    out += concat(".TP\n.B ", escape(heading(*option)), "\n", escape(option->get_description()));
    const std::string standard = option->get_default_str();
    if (!standard.empty()) out += concat(" (default: ", escape(standard), ")");
    out += "\n";
  }
  return out;
}

std::string footer_text(const CLI::App& app) {
  const std::string footer = app.get_footer();
  return footer.empty() ? "" : concat(".PP\n.nf\n", escape(footer), "\n.fi\n");
}

std::string command_text(const CLI::App& app) {
  const auto commands = command::commands_of(app);
  if (!commands.empty()) {
    std::string out;
    for (const CLI::App* command : commands) out += command_text(*command);
    return out;
  }
  return concat(".SS ", escape(command::path_of(app)), "\n", escape(app.get_description()), "\n",
                options_text(app), footer_text(app));
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// What may follow a command, files apart.
std::string words_after(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command : command::commands_of(app)) words.push_back(command->get_name());
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    for (const std::string& word : command::words_of(*option)) words.push_back(word);
  }
  for (const std::string& option : command::options_of(app)) words.push_back(option);
  return joined(words);
}

void bash_cases(const CLI::App& app, std::string& out) {
  out += concat("    '", command::path_of(app), "') words='", words_after(app), "'",
                command::commands_of(app).empty() ? "" : " files=''", " ;;\n");
  for (const CLI::App* command : command::commands_of(app)) bash_cases(*command, out);
}

void bash_values(const CLI::App& app, std::string& out) {
  for (const CLI::Option* option : app.get_options()) {
    const auto words = command::words_of(*option);
    if (words.empty()) continue;
    for (const std::string& name : option->get_lnames()) {
      out += concat("    '", command::path_of(app), " --", name, "') values='", joined(words),
                    "' ;;\n");
    }
  }
  for (const CLI::App* command : command::commands_of(app)) bash_values(*command, out);
}

/// 'smcl train'|'smcl data'|'smcl data info'...
std::string all_paths(const CLI::App& app) {
  std::string paths;
  for (const CLI::App* command : command::commands_of(app)) {
    const std::string below = all_paths(*command);
    paths += concat(paths.empty() ? "" : "|", "'", command::path_of(*command), "'",
                    below.empty() ? "" : "|", below);
  }
  return paths;
}

std::string bash_script(const CLI::App& app) {
  std::string cases;
  std::string values;
  bash_cases(app, cases);
  bash_values(app, values);
  return concat(R"(_smcl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command=smcl word words='' values='' files=yes
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
      )",
                all_paths(app), R"() command+=" $word" ;;
    esac
  done
  case "$command $previous" in
)",
                values, R"(  esac
  if [ -n "$values" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi
  case "$command" in
)",
                cases, R"(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  [[ -z $files || $current == -* ]] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
}
complete -o filenames -F _smcl smcl
)");
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("\\'") : std::string(1, c);
  return out + "'";
}

void fish_lines(const CLI::App& app, const std::string& condition, std::string& out) {
  for (const CLI::Option* option : app.get_options()) {
    const auto words = command::words_of(*option);
    for (const std::string& name : option->get_lnames()) {
      out += concat("complete -c smcl", condition, " -l ", name,
                    option->get_type_size() == 0 ? "" : " -r",
                    words.empty() ? "" : concat(" -f -a ", quoted(joined(words))), " -d ",
                    quoted(option->get_description()), "\n");
    }
  }
}

std::string fish_script(const CLI::App& app) {
  std::string out;
  fish_lines(app, " -n __fish_use_subcommand", out);
  const auto add = [&](const CLI::App& at, const std::string& before, const auto& self) -> void {
    for (const CLI::App* command : command::commands_of(at)) {
      out += concat("complete -c smcl", before, " -f -a ", command->get_name(), " -d ",
                    quoted(command->get_description()), "\n");
      const std::string after =
          concat(" -n '__fish_seen_subcommand_from ", command->get_name(), "'");
      fish_lines(*command, after, out);
      self(*command, after, self);
    }
  };
  add(app, " -n __fish_use_subcommand", add);
  return out;
}

}  // namespace

std::string manual_page(const CLI::App& app, const std::string& version) {
  std::string list;
  for (const CLI::App* command : command::commands_of(app)) {
    list += concat(".TP\n.B ", escape(command->get_name()), "\n",
                   escape(command->get_description()), "\n");
  }
  return concat(".TH SMCL 1 \"\" \"smcl ", escape(version), "\" \"User Commands\"\n",
                ".SH NAME\nsmcl \\- trains image classifiers on long\\-tailed data\n",
                ".SH SYNOPSIS\n.B smcl\n.I command\n[options]\n", ".SH DESCRIPTION\n",
                escape(app.get_description()), "\n", list, ".SH OPTIONS\n", options_text(app),
                footer_text(app), ".SH COMMANDS\n", command_text(app));
}

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash_script(app);
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(app);
  if (shell == "fish") return fish_script(app);
  throw UsageError(concat("completion for '", shell, "': expected bash, zsh or fish"));
}

}  // namespace smcl::cli

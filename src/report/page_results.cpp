#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/error.h"
#include "report/markup.h"
#include "report/page_parts.h"
#include "report/plot.h"

// Verdict, tables of results, how to repeat them, the runs.
namespace smcl::report {
namespace {

constexpr std::size_t kMostLines = 6;  // groups up to which each is told in words at once

const char* style_of(Verdict verdict) {
  return verdict == Verdict::better ? "good" : verdict == Verdict::worse ? "bad" : "soft";
}

std::string forest(const Condition& condition, Quantity quantity) {
  if (!is_compared(condition, quantity)) return "";
  const QuantityInfo& info = kQuantityInfos[place(quantity)];
  std::vector<ForestRow> rows;
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    if (g == condition.baseline) continue;
    const GroupResult& group = condition.groups[g];
    const Against& against = group.against[place(quantity)];
    ForestRow& row = rows.emplace_back();
    row.name = group.group.label;
    row.style = style_of(against.verdict);
    if (group.pairs >= kFewestPairs) row.missing = "not of all runs";
    if (!against.difference) continue;
    row.mean = against.difference->mean;
    row.half_width = against.difference->half_width;
  }
  const std::string& base = condition.groups[*condition.baseline].group.label;
  const std::string heading = concat(
      info.title, ", points ", info.less_is_better ? "(less is better) " : "", "against ", base);
  return figure(heading, forest_plot(heading, concat("points against ", base), rows),
                concat(info.text,
                       ". Mean of the differences over pairs of runs with equal seeds and 95 % "
                       "t-interval; coloured where it is decided after Holm's correction."));
}

std::string difference_html_cell(const Against& against) {
  if (!against.difference) return "<td class=\"num\">-</td>";
  const auto& found = *against.difference;
  const bool decided = against.verdict == Verdict::better || against.verdict == Verdict::worse;
  return concat("<td class=\"num", decided ? concat(" ", style_of(against.verdict)) : "", "\">",
                signed_fixed(found.mean * 100.0, 1), " \u00b1 ", fixed(found.half_width * 100.0, 1),
                decided ? (against.verdict == Verdict::better ? " \u2713" : " \u2717") : "",
                "</td>");
}

/// p of every difference of difference_html, which has no room for them.
std::string p_html(const Condition& condition, const std::vector<QuantityInfo>& shown) {
  std::string table = "<table><thead><tr><th scope=\"col\">method</th>";
  for (const QuantityInfo& info : shown) {
    table += concat("<th scope=\"col\" class=\"num\">", info.title, "</th>");
  }
  table += "</tr></thead><tbody>";
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    if (g == condition.baseline) continue;
    const GroupResult& group = condition.groups[g];
    table += concat("<tr><th scope=\"row\">", escaped(group.group.label), "</th>");
    for (const QuantityInfo& info : shown) {
      const Against& against = group.against[place(info.quantity)];
      table += concat("<td class=\"num\">",
                      p_holm_of(against) ? concat(escaped(p_number(against.difference->p)), " (",
                                                  escaped(p_number(against.p_holm)), ")")
                                         : "-",
                      "</td>");
    }
    table += "</tr>";
  }
  return concat("<details><summary>p (after Holm's correction)</summary>",
                scrolling("p", table + "</tbody></table>"), "</details>");
}

std::string difference_html(const Condition& condition) {
  std::vector<QuantityInfo> shown;
  for (const QuantityInfo& info : kQuantityInfos) {
    if (info.quantity == Quantity::all || !is_compared(condition, info.quantity)) continue;
    if (!is_of_thirds(info.quantity) || lacks_shot_group(condition)) shown.push_back(info);
  }
  if (shown.empty()) return "";
  std::string table =
      "<table><thead><tr><th scope=\"col\">method</th><th scope=\"col\" class=\"num\">pairs</th>";
  for (const QuantityInfo& info : shown) {
    table += concat("<th scope=\"col\" class=\"num\">", info.title, "</th>");
  }
  table +=
      "<th scope=\"col\" class=\"num\">after Holm</th><th scope=\"col\">balanced</th></tr></thead>"
      "<tbody>";
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    if (g == condition.baseline) continue;
    const GroupResult& group = condition.groups[g];
    table += concat("<tr><th scope=\"row\">", escaped(group.group.label), "</th><td class=\"num\">",
                    group.pairs, "</td>");
    for (const QuantityInfo& info : shown) {
      table += difference_html_cell(group.against[place(info.quantity)]);
    }
    const Against& balanced = group.against[place(Quantity::balanced)];
    table +=
        concat("<td class=\"num\">", p_holm_of(balanced) ? escaped(p_text(balanced.p_holm)) : "-",
               "</td><td class=\"", style_of(balanced.verdict), "\">", text_of(balanced.verdict),
               "</td></tr>");
  }
  return concat(
      "<h3>Points above ", escaped(condition.groups[*condition.baseline].group.label), "</h3>",
      scrolling("differences", table + "</tbody></table>"),
      "<p class=\"note\">Mean difference over pairs of runs with equal seeds \u00b1 half width of "
      "its 95 % t-interval. \u2713 better, \u2717 worse: decided at 0.05 after Holm's correction "
      "over the methods, each column for itself. Of bias gap and ECE less is better.</p>",
      p_html(condition, shown));
}

std::string gains_html(const Report& report) {
  const auto gains = gain_table(report);
  if (!gains) return "";
  std::string text = "<h2>Gains from one condition to another</h2><div class=\"verdict\">";
  for (const std::string& each : gain_words(report)) text += "<p>" + escaped(each) + "</p>";
  return concat(text, "</div>", scrolling("gains", gains->table.html()), "<p class=\"note\">",
                escaped(gains->title),
                ". Of bias gap and ECE less is better: below 0 it gains more.</p>");
}

std::string distinct(const Report& report, const char* key) {
  std::set<std::string> values;
  for (const RunData& run : report.runs) {
    const auto found = run.fingerprint.find(key);
    if (found == run.fingerprint.end()) continue;
    const std::string value = found->is_string() ? found->get<std::string>() : found->dump();
    values.insert(value.size() == 64 ? value.substr(0, 12) : value);  // a hash
  }
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : "; ") + value;
  return text;
}

std::string environment(const Report& report) {
  std::string rows;
  constexpr std::array<std::pair<const char*, const char*>, 10> shown{
      {{"version", "version"},
       {"revision", "revision"},
       {"libtorch", "LibTorch"},
       {"compiler", "compiler"},
       {"cpu", "CPU"},
       {"device", "device"},
       {"precision", "precision"},
       {"kernels", "kernels"},
       {"threads", "threads"},
       {"data_hash", "data (SHA-256)"}}};
  for (const auto& [key, title] : shown) {
    const std::string text = distinct(report, key);
    if (text.empty()) continue;
    rows += concat("<tr><th scope=\"row\">", title, "</th><td>", escaped(text), "</td></tr>");
  }
  return scrolling("what decides the bits", "<table><tbody>" + rows + "</tbody></table>");
}

/// The settings in which the groups of a condition differ.
std::string settings_html(const Condition& condition) {
  std::vector<const RecipeRun*> runs;
  for (const GroupResult& group : condition.groups) runs.push_back(&group.group.runs.front());
  const std::vector<std::string> keys = differing_settings(runs);
  if (keys.empty()) return "";
  std::string table = "<table><thead><tr><th scope=\"col\">setting</th>";
  for (const GroupResult& group : condition.groups) {
    table += concat("<th scope=\"col\">", escaped(group.group.label), "</th>");
  }
  table += "</tr></thead><tbody>";
  for (const std::string& key : keys) {
    table += concat("<tr><th scope=\"row\">", escaped(key), "</th>");
    for (const RecipeRun* run : runs) {
      table += concat("<td>", escaped(setting_of(*run, key).value_or("-")), "</td>");
    }
    table += "</tr>";
  }
  return concat("<details><summary>Settings that differ between methods",
                condition.label.empty() ? "" : ", " + escaped(condition.label), "</summary>",
                scrolling("settings", table + "</tbody></table>"), "</details>");
}

std::string seeds_text(const RecipeRun& run) {
  std::string text;
  for (const auto& [key, value] : seeds_of(run)) {
    if (value == "0") continue;
    text += concat(text.empty() ? "" : ", ", key, " = ", value);
  }
  return text.empty() ? "0" : text;
}

std::string run_row(const RunData& run) {
  const auto percent = [](const std::optional<double>& value) {
    return value ? fixed(*value * 100.0, 1) : std::string("-");
  };
  const metrics::Accuracy& a = run.run.row.accuracy;
  const double minutes = run.summary.value("seconds", 0.0) / 60.0;
  return concat(
      "<tr><th scope=\"row\">", escaped(run.run.path), "</th><td>", escaped(seeds_text(run.run)),
      "</td><td class=\"num\">", percent(a.balanced), "</td><td class=\"num\">", percent(a.many),
      "</td><td class=\"num\">", percent(a.medium), "</td><td class=\"num\">", percent(a.few),
      "</td><td class=\"num\">", fixed(minutes, 1), "</td><td>",
      run.summary.value("bit_exact", true) ? "yes" : "no", "</td><td>",
      escaped(run.summary.value("settings_hash", std::string()).substr(0, 12)), "</td></tr>");
}

std::string warnings_html(const Report& report) {
  std::string list;
  for (const RunData& run : report.runs) {
    for (const std::string& warning : run.warnings) {
      list += concat("<li>", escaped(run.run.row.run), ": ", escaped(warning), "</li>");
    }
  }
  return list.empty() ? "" : "<h3>Signs of failure</h3><ul>" + list + "</ul>";
}

}  // namespace

std::string results_section(const Report& report) {
  std::string text;
  for (const Condition& condition : report.conditions) {
    const Words words = words_of(report, condition);
    text += condition_heading(condition) + "<div class=\"verdict\">";
    for (const std::string& each : words.verdicts) text += "<p>" + escaped(each) + "</p>";
    text += concat("</div><details", condition.groups.size() <= kMostLines ? " open" : "",
                   "><summary>In words</summary><ul>");
    for (const std::string& each : words.groups) text += "<li>" + escaped(each) + "</li>";
    text += "</ul></details>";
    const NamedTable means = mean_table(report, condition);
    text += scrolling("results", means.table.html());
    text += concat("<p class=\"note\">", escaped(means.title), ".</p>");
    if (!condition.baseline || condition.groups.size() == 1) continue;
    std::string panels;
    for (const Quantity quantity :
         {Quantity::balanced, Quantity::medium_few, Quantity::bias_gap, Quantity::corrected}) {
      panels += forest(condition, quantity);
    }
    if (!panels.empty()) text += "<div class=\"panels\">" + panels + "</div>";
    text += difference_html(condition);
  }
  return "<section>" + text + gains_html(report) + "</section>";
}

std::string reproduce_section(const Report& report) {
  std::string commands;
  for (const std::string& command : report.reproduce) commands += escaped(command) + "\n";
  std::string text = "<section><h2>How to repeat it</h2>";
  if (!commands.empty()) text += "<pre>" + commands + "</pre>";
  text +=
      "<p class=\"note\">A run folder's config.toml holds every setting and loads as a recipe. The "
      "same settings, data, version, machine and threads give the same bits.</p>";
  text += environment(report);
  for (const Condition& condition : report.conditions) text += settings_html(condition);
  return text + "</section>";
}

std::string runs_section(const Report& report) {
  std::string table =
      "<table><thead><tr><th scope=\"col\">run</th><th scope=\"col\">seeds</th><th scope=\"col\" "
      "class=\"num\">balanced</th><th scope=\"col\" class=\"num\">many</th><th scope=\"col\" "
      "class=\"num\">medium</th><th scope=\"col\" class=\"num\">few</th><th scope=\"col\" "
      "class=\"num\">minutes</th><th scope=\"col\">bit-exact</th><th scope=\"col\">settings</th>"
      "</tr></thead><tbody>";
  for (const RunData& run : report.runs) table += run_row(run);
  std::string text = concat("<section><h2>Runs</h2>", warnings_html(report));
  if (!report.left_out.empty()) {
    text += "<h3>Left out</h3><ul>";
    for (const std::string& each : report.left_out) text += "<li>" + escaped(each) + "</li>";
    text += "</ul>";
  }
  return concat(text, "<details", report.runs.size() <= 20 ? " open" : "", "><summary>All ",
                report.runs.size(), " runs</summary>",
                scrolling("runs", table + "</tbody></table>"), "</details></section>");
}

}  // namespace smcl::report

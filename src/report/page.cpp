#include <algorithm>
#include <set>

#include "core/error.h"
#include "report/markup.h"
#include "report/page_parts.h"
#include "report/page_style.h"

namespace smcl::report {
namespace {

std::string last_finished(const Report& report) {
  std::string last;
  for (const RunData& run : report.runs) {
    last = std::max(last, run.summary.value("finished_at", std::string()));
  }
  return last;
}

std::string versions(const Report& report) {
  std::set<std::string> all;
  for (const RunData& run : report.runs) {
    all.insert(concat("smcl ", run.fingerprint.value("version", std::string("?")), " (",
                      run.fingerprint.value("revision", std::string("?")), ")"));
  }
  std::string text;
  for (const std::string& each : all) text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string footer(const Report& report) {
  return concat("<footer>", report.runs.size(), report.runs.size() == 1 ? " run" : " runs", " of ",
                escaped(versions(report)), "; the last one finished ",
                escaped(last_finished(report)), ". Made from the run folders by smcl report.",
                "</footer>");
}

}  // namespace

std::string figure(const std::string& heading, const std::string& content,
                   const std::string& caption) {
  std::string result = concat("<figure><h4>", escaped(heading), "</h4>", content);
  if (!caption.empty()) result += concat("<figcaption>", escaped(caption), "</figcaption>");
  return result + "</figure>";
}

std::string image(const Picture& picture) {
  return concat("<img alt=\"", escaped(picture.title), "\" src=\"data:image/png;base64,",
                base64(picture.png), "\">");
}

std::string broad_figure(const Picture& picture) {
  return concat("<figure class=\"broad\"><h4>", escaped(picture.title), "</h4>",
                scrolling(picture.title, image(picture)), "<figcaption>", escaped(picture.caption),
                "</figcaption></figure>");
}

std::string scrolling(const std::string& label, const std::string& content) {
  return concat("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"", escaped(label),
                "\">", content, "</div>");
}

std::string condition_heading(const Condition& condition) {
  return condition.label.empty() ? "" : concat("<h3>", escaped(condition.label), "</h3>");
}

std::string html_page(const Report& report) {
  std::vector<ConditionView> views;
  for (const Condition& condition : report.conditions) {
    ConditionView& view = views.emplace_back();
    view.condition = &condition;
    for (const GroupResult& group : condition.groups) {
      view.groups.push_back(view_of(runs_of(report, group.group)));
    }
  }
  std::string page =
      concat("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">",
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
             "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">",
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
             "<link rel=\"icon\" href=\"data:,\"><title>", escaped(report.title), "</title><style>",
             kPageStyle, "</style></head><body><header><h1>", escaped(report.title),
             "</h1></header><main>\n");
  for (const std::string& section :
       {results_section(report), reproduce_section(report), curves_section(views),
        classes_section(views), errors_section(views), sensitivity_section(report),
        pictures_section(report), backgrounds_section(report), runs_section(report)}) {
    page += section + "\n";
  }
  return page + "</main>" + footer(report) + "</body></html>\n";
}

std::string markdown_page(const Report& report) {
  std::string page = concat("# ", markdown_escaped(report.title), "\n\n");
  for (const Condition& condition : report.conditions) {
    const Words words = words_of(report, condition);
    if (!condition.label.empty()) page += "## " + markdown_escaped(condition.label) + "\n\n";
    for (const std::string& each : words.verdicts) page += markdown_escaped(each) + "\n\n";
    for (const std::string& each : words.groups) page += "- " + markdown_escaped(each) + "\n";
    page += "\n" + markdown_escaped(words.basis) + "\n\n";
  }
  for (const NamedTable& each : tables_of(report)) {
    page += concat("\n", each.table.markdown(), "\n", markdown_escaped(each.title), "\n");
  }
  return page;
}

std::string latex_page(const Report& report) {
  std::string page = "% needs \\usepackage{booktabs}\n";
  for (const NamedTable& each : tables_of(report)) {
    page += concat("\\begin{table}\n\\centering\n\\small\n", each.table.latex(), "\\caption{",
                   latex_escaped(each.title), "}\n\\end{table}\n");
  }
  return page;
}

}  // namespace smcl::report

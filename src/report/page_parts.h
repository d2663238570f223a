#pragma once

#include <string>
#include <vector>

#include "report/report.h"

/// Sections of the page (html_page), in its order; each is empty where there is nothing to show.
namespace smcl::report {

/// A condition with what its groups show, in their order.
struct ConditionView {
  const Condition* condition = nullptr;
  std::vector<GroupView> groups;
};

/// A plot or picture with a heading and, perhaps, a caption. `content` is markup, the rest is text.
std::string figure(const std::string& heading, const std::string& content,
                   const std::string& caption = "");
/// A picture in the page itself.
std::string image(const Picture& picture);
/// The same across the page, with its title and caption.
std::string broad_figure(const Picture& picture);
/// Something that may be broader than the screen, which then scrolls alone.
std::string scrolling(const std::string& label, const std::string& content);
/// A heading of a condition, where there are several.
std::string condition_heading(const Condition& condition);

std::string results_section(const Report& report);
std::string reproduce_section(const Report& report);
std::string curves_section(const std::vector<ConditionView>& views);
std::string classes_section(const std::vector<ConditionView>& views);
std::string errors_section(const std::vector<ConditionView>& views);
std::string sensitivity_section(const Report& report);
std::string pictures_section(const Report& report);
std::string backgrounds_section(const Report& report);
std::string runs_section(const Report& report);

}  // namespace smcl::report

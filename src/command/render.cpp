#include "command/render.h"

#include <unistd.h>

namespace smcl::command {

std::string render(const report::Table& table, const std::string& format) {
  return table.render(report::table_format(format), report::text_style(isatty(STDOUT_FILENO) != 0));
}

}  // namespace smcl::command

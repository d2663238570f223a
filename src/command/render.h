#pragma once

#include <string>

#include "report/table.h"

namespace smcl::command {

/// A table for standard output in the words of --format: text, json, csv.
std::string render(const report::Table& table, const std::string& format);

}  // namespace smcl::command

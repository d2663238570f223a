#pragma once

#include <string>

#include "data/open.h"

namespace smcl::data {

/// The hash of `opened` (Opened::hash, which it does not read): SHA-256 in hexadecimal over the
/// set's name, class names, and position, label and pixels of every image used in the training,
/// validation and test set; for scenes also over their settings, since theirs may change with the
/// epoch. Where the files lie does not matter.
std::string fingerprint(const DataSettings& settings, const Opened& opened);

}  // namespace smcl::data

#pragma once

/// Marks what the shared libraries show. Everything is compiled with hidden visibility, so only
/// what a header of cmake/public_headers.txt marks can be linked against.
#define SMCL_API __attribute__((visibility("default")))

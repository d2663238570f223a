#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "core/export.h"

namespace smcl {

/// Exit codes of the program; the library only carries them.
enum class ExitCode : int {
  ok = 0,
  usage = 2,
  diverged = 3,
  data = 65,
  internal = 70,
  io = 74,
  stopped = 75,
};

/// `text` with '?' for control characters: what a file or a command line brought in cannot break
/// the line or talk to the terminal.
SMCL_API std::string one_line(std::string text);

/// Base of all errors that the library throws. The text is one line that says what is wrong,
/// where, what was got and expected, and what to do.
class SMCL_API Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& text) : std::runtime_error(one_line(text)), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Wrong command line, recipe or combination of settings.
class SMCL_API UsageError : public Error {
 public:
  explicit UsageError(const std::string& text) : Error(ExitCode::usage, text) {}
};

/// A file that does not hold what it should, or a data set that is not there.
class SMCL_API DataError : public Error {
 public:
  explicit DataError(const std::string& text) : Error(ExitCode::data, text) {}
};

/// The system refused to read or write, or a recipe or run folder is not there.
class SMCL_API IoError : public Error {
 public:
  explicit IoError(const std::string& text) : Error(ExitCode::io, text) {}
};

/// Training met values that are not finite.
class SMCL_API DivergedError : public Error {
 public:
  explicit DivergedError(const std::string& text) : Error(ExitCode::diverged, text) {}
};

/// A signal asked to stop; everything that the same command needs to go on is stored.
class SMCL_API StoppedError : public Error {
 public:
  explicit StoppedError(const std::string& text) : Error(ExitCode::stopped, text) {}
};

/// A promise between parts of the program was broken.
class SMCL_API InternalError : public Error {
 public:
  explicit InternalError(const std::string& text) : Error(ExitCode::internal, text) {}
};

/// Joins values into one text: `concat("got ", 3, ", expected ", 4)`.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace smcl

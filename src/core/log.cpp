#include "core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"

namespace smcl::log {
namespace {

/// "warning: " before a warning: the console shows no levels, unlike the file.
class WarningMark : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    constexpr std::string_view kMark = "warning: ";
    if (message.level == spdlog::level::warn) out.append(kMark.data(), kMark.data() + kMark.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<WarningMark>();
  }
};

struct Console {
  std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> sink;
  spdlog::logger logger;

  Console() : sink(std::make_shared<spdlog::sinks::stderr_color_sink_mt>()), logger("smcl", sink) {
    if (no_color()) sink->set_color_mode(spdlog::color_mode::never);
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<WarningMark>('*').set_pattern("%^%*%v%$");
    sink->set_formatter(std::move(formatter));
    logger.set_level(spdlog::level::info);
    logger.flush_on(spdlog::level::debug);
  }
};

Console& console() {
  static Console instance;
  return instance;
}

/// A run's log file.
class File {
 public:
  /// Throws spdlog::spdlog_ex.
  explicit File(const std::string& path)
      : logger_("smcl", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path)) {
    logger_.set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    logger_.set_level(spdlog::level::debug);
    logger_.flush_on(spdlog::level::debug);
    logger_.set_error_handler([this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      if (failure_.empty()) failure_ = text;
    });
  }
  void write(spdlog::level::level_enum level, std::string_view text) {
    logger_.log(level, "{}", text);
  }
  void check() {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) throw IoError(concat("cannot write the log: ", failure_));
  }

 private:
  spdlog::logger logger_;
  std::mutex mutex_;
  std::string failure_;  ///< the first
};

/// What a thread that trains a run has for itself.
struct Own {
  std::shared_ptr<File> file;
  std::string name;
};

Own& own() {
  thread_local Own instance;
  return instance;
}

std::mutex files_mutex;
std::vector<std::weak_ptr<File>> files;  ///< of all threads

/// Where a message of this thread goes: threads that help a run have no file of their own, and mean
/// the only one.
std::shared_ptr<File> file_of_thread() {
  if (own().file != nullptr) return own().file;
  const std::lock_guard lock(files_mutex);
  std::erase_if(files, [](const std::weak_ptr<File>& file) { return file.expired(); });
  return files.size() == 1 ? files.front().lock() : nullptr;
}

void to_file(spdlog::level::level_enum level, std::string_view text) {
  if (const auto file = file_of_thread()) file->write(level, text);
}

/// Names of files come from elsewhere, and may hold what a terminal takes as commands.
void write(spdlog::level::level_enum level, std::string_view message) {
  const std::string text = one_line(std::string(message));
  const std::string& name = own().name;
  if (name.empty()) {
    console().logger.log(level, "{}", text);
  } else {
    console().logger.log(level, "{}: {}", name, text);
  }
  to_file(level, text);
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

bool no_color() {
  const char* value = std::getenv("NO_COLOR");
  return value != nullptr && *value != '\0';
}

void set_console_level(Level level) {
  console().logger.set_level(to_spdlog(level));
}

void set_name(std::string_view name) {
  own().name = name;
}

void set_file(const std::filesystem::path& file) {
  own().file = nullptr;
  if (file.empty()) return;
  try {
    own().file = std::make_shared<File>(file.string());
  } catch (const spdlog::spdlog_ex& failure) {
    throw IoError(concat("cannot open log file ", file.string(), ": ", failure.what()));
  }
  const std::lock_guard lock(files_mutex);
  files.push_back(own().file);
}

void check_file() {
  if (const auto file = file_of_thread()) file->check();
}

void debug(std::string_view text) {
  write(spdlog::level::debug, text);
}
void info(std::string_view text) {
  write(spdlog::level::info, text);
}
void warn(std::string_view text) {
  write(spdlog::level::warn, text);
}
void error(std::string_view text) {
  write(spdlog::level::err, text);
}
void error_to_file(std::string_view text) {
  to_file(spdlog::level::err, text);
}

std::string library_version() {
  return concat(SPDLOG_VER_MAJOR, ".", SPDLOG_VER_MINOR, ".", SPDLOG_VER_PATCH);
}

}  // namespace smcl::log

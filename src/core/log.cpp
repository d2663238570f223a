#include "core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <mutex>

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

struct Sinks {
  std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> console;
  spdlog::logger logger;
  std::mutex mutex;
  std::string failure;  ///< the first since set_file

  Sinks()
      : console(std::make_shared<spdlog::sinks::stderr_color_sink_mt>()), logger("smcl", console) {
    if (no_color()) console->set_color_mode(spdlog::color_mode::never);
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<WarningMark>('*').set_pattern("%^%*%v%$");
    console->set_formatter(std::move(formatter));
    console->set_level(spdlog::level::info);
    logger.set_level(spdlog::level::debug);
    logger.flush_on(spdlog::level::debug);
    logger.set_error_handler([this](const std::string& text) {
      const std::lock_guard lock(mutex);
      if (failure.empty()) failure = text;
    });
  }
};

Sinks& sinks() {
  static Sinks instance;
  return instance;
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
  sinks().console->set_level(to_spdlog(level));
}

void set_file(const std::filesystem::path& file) {
  auto& all = sinks().logger.sinks();
  all.resize(1);
  {
    const std::lock_guard lock(sinks().mutex);
    sinks().failure.clear();
  }
  if (file.empty()) return;
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
    sink->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    sink->set_level(spdlog::level::debug);
    all.push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& failure) {
    throw IoError(concat("cannot open log file ", file.string(), ": ", failure.what()));
  }
}

void check_file() {
  const std::lock_guard lock(sinks().mutex);
  if (!sinks().failure.empty()) throw IoError(concat("cannot write the log: ", sinks().failure));
}

void debug(std::string_view text) {
  sinks().logger.debug("{}", text);
}
void info(std::string_view text) {
  sinks().logger.info("{}", text);
}
void warn(std::string_view text) {
  sinks().logger.warn("{}", text);
}
void error(std::string_view text) {
  sinks().logger.error("{}", text);
}
void error_to_file(std::string_view text) {
  const auto console = sinks().console;
  const auto level = console->level();
  console->set_level(spdlog::level::off);
  error(text);
  console->set_level(level);
}

std::string library_version() {
  return concat(SPDLOG_VER_MAJOR, ".", SPDLOG_VER_MINOR, ".", SPDLOG_VER_PATCH);
}

}  // namespace smcl::log

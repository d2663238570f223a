#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "format/file.h"

namespace smcl::cli {

/// How a process ended: an exit code, or the signal that ended it.
struct Ending {
  int code = -1;
  int signal = 0;
  std::string err;
};

/// The program in a process of its own, its standard error in a file.
class Process {
 public:
  Process(std::vector<std::string> words, std::filesystem::path log,
          const std::vector<std::pair<std::string, std::string>>& environment = {})
      : log_(std::move(log)) {
    words.insert(words.begin(), SMCL_PROGRAM);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(out);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }

  void send(int signal) const { ::kill(pid_, signal); }

  Ending wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    Ending ending;
    if (WIFEXITED(status)) ending.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
    ending.err = format::read_text(log_);
    return ending;
  }

  bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }

  /// From /proc; 0 where the process is gone.
  double resident_mb() const {
    std::ifstream file(concat("/proc/", pid_, "/statm"));
    long total = 0;
    long resident = 0;
    file >> total >> resident;
    return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / 1048576.0;
  }
  std::ptrdiff_t open_files() const {
    std::error_code gone;
    const std::filesystem::directory_iterator all(concat("/proc/", pid_, "/fd"), gone);
    return gone ? 0 : std::distance(all, {});
  }

  /// Sends `signal` while the process stands still in a state that `now` is true of; false where it
  /// ended before that.
  bool send_when(const std::function<bool()>& now, const std::vector<int>& signals) const {
    while (!ended()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (!now()) continue;
      send(SIGSTOP);
      while (!ended() && state() != 'T') std::this_thread::yield();
      const bool caught = now();
      if (caught) {
        for (const int signal : signals) send(signal);
      }
      send(SIGCONT);
      if (caught) return true;
    }
    return false;
  }

  bool holds_lock(const std::filesystem::path& run) const {
    std::ifstream file(run / "lock");
    std::string word;
    pid_t holder = 0;
    return file >> word >> holder && holder == pid_;
  }

  /// Whether it has a handler for the signal.
  bool catches(int signal) const {
    std::ifstream file(concat("/proc/", pid_, "/status"));
    for (std::string word; file >> word;) {
      if (word != "SigCgt:") continue;
      std::uint64_t mask = 0;
      file >> std::hex >> mask;
      return (mask >> (signal - 1) & 1) != 0;
    }
    return false;
  }

  /// Whether the process came to write this run folder, within 60 s: it then holds the lock.
  bool wait_for_lock(const std::filesystem::path& run) const {
    for (int i = 0; i < 60000; ++i) {
      if (holds_lock(run)) return true;
      if (ended()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  /// Whether the file appeared within 60 s while the process was running.
  bool wait_for(const std::filesystem::path& file) const {
    for (int i = 0; i < 60000; ++i) {
      if (std::filesystem::exists(file)) return true;
      if (ended()) return std::filesystem::exists(file);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  /// Of /proc/PID/stat, behind the name in brackets: 'T' where it is stopped.
  char state() const {
    std::ifstream file(concat("/proc/", pid_, "/stat"));
    std::string text;
    std::getline(file, text);
    const auto end = text.rfind(") ");
    return end == std::string::npos || end + 2 >= text.size() ? '?' : text[end + 2];
  }

  std::filesystem::path log_;
  pid_t pid_ = -1;
};

}  // namespace smcl::cli

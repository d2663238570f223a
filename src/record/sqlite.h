#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace smcl::record {

/// A database file of SQLite. Errors name the file: IoError, or DataError where it is damaged or
/// none.
class Database {
 public:
  enum class Access { read_only, read_write };
  /// Makes the file where it is missing and may be written. Writers of other processes are waited
  /// for.
  Database(std::filesystem::path file, Access access);
  /// One in memory alone.
  static Database in_memory();

  void run(const std::string& sql);
  std::int64_t last_row() const;

  sqlite3* handle() const { return handle_.get(); }
  [[noreturn]] void fail(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A statement of `database`, which outlives it. Parameters and columns count from 0.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);

  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::optional<double> value);
  /// The next row; false at the end, after which it can be bound and run again.
  bool step();
  /// Runs it to its end.
  void run();

  std::string text(int column) const;
  std::int64_t integer(int column) const;
  std::optional<double> number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Undoes what was written since its beginning unless it is committed. Waits for the right to
/// write.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.run("BEGIN IMMEDIATE");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace smcl::record

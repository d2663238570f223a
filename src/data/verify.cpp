#include "data/verify.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "core/error.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/scenes_fashion.h"
#include "format/file.h"

namespace smcl::data {
namespace {

/// Runs one check; damage becomes its failure. What cannot be read may be sound.
bool add(Report& report, const std::function<std::string()>& check) {
  try {
    report.checks.push_back({true, check()});
  } catch (const DataError& error) {
    report.checks.push_back({false, error.what()});
  }
  return report.checks.back().passed;
}

std::vector<std::size_t> tally(const std::vector<std::int32_t>& labels, int classes) {
  std::vector<std::size_t> counts(static_cast<std::size_t>(classes));
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

std::string check_balance(const std::string& set, const std::vector<std::size_t>& counts) {
  std::size_t all = 0;
  for (const std::size_t count : counts) all += count;
  const std::size_t expected = all / counts.size();
  for (std::size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] != expected) {
      throw DataError(concat(set, " set: class ", label, " has ", counts[label],
                             " images, expected ", expected));
    }
  }
  return concat(set, " set: ", all, " images, ", expected, " of each of ", counts.size(),
                " classes");
}

/// Checks each file, and the classes of all of them together; gives the labels, none where a
/// file is not in order.
std::vector<std::int32_t> check_cifar_files(Report& report, CifarKind kind,
                                            const std::filesystem::path& folder,
                                            const std::vector<std::string>& files,
                                            std::size_t records, const std::string& set) {
  std::vector<std::int32_t> labels;
  bool whole = true;
  for (const std::string& file : files) {
    whole &= add(report, [&] {
      const CifarRecords part = read_cifar_file(folder / file, kind, records);
      labels.insert(labels.end(), part.labels.begin(), part.labels.end());
      return concat((folder / file).string(), ": ", records, " records, labels in range");
    });
  }
  if (!whole) return {};
  add(report, [&] { return check_balance(set, tally(labels, cifar_layout(kind).classes)); });
  return labels;
}

/// A copy in another order is a set of its own: the same seed picks other images of it.
void note_order(Report& report, const std::vector<std::int32_t>& labels,
                const CifarLayout& layout) {
  const std::vector<std::int32_t>& official = layout.first_labels;
  if (labels.size() < official.size() ||
      std::equal(official.begin(), official.end(), labels.begin())) {
    return;
  }
  report.notes.push_back(concat("the images are not in the order of the official ", layout.archive,
                                ": a copy, so splits of the same seed hold other images than "
                                "elsewhere, and accuracies may differ from published ones"));
}

void check_archive(Report& report, CifarKind kind, const std::filesystem::path& dir,
                   const std::filesystem::path& folder) {
  const CifarLayout& layout = cifar_layout(kind);
  const auto above = [](const std::filesystem::path& path) {
    // A trailing slash or "." would make parent_path() the folder itself.
    std::error_code ignored;
    return std::filesystem::weakly_canonical(path, ignored).parent_path();
  };
  for (const std::filesystem::path& place : {dir, folder, above(folder), above(dir)}) {
    const std::filesystem::path archive = place / layout.archive;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(archive, ignored)) continue;
    add(report, [&] {
      const std::string md5 = format::md5_of_file(archive);
      if (md5 != layout.md5) {
        throw DataError(concat(archive.string(), ": MD5 ", md5, ", expected ", layout.md5,
                               ": fetch it again from ", layout.url));
      }
      return concat(archive.string(), ": MD5 as published, ", md5);
    });
    return;
  }
  report.notes.push_back(concat(layout.archive, " is not at hand, structure only: put it (",
                                layout.url, ", MD5 ", layout.md5, ") beside the folder to check ",
                                "that too"));
}

void verify_cifar(Report& report, const DataSettings& settings, CifarKind kind) {
  const CifarLayout& layout = cifar_layout(kind);
  std::filesystem::path folder;
  if (!add(report, [&] {
        folder = find_cifar(settings.dir, kind);
        return concat("found in ", folder.string());
      })) {
    return;
  }
  add(report, [&] {
    return concat(layout.names, ": ", read_cifar_names(folder, kind).size(), " class names");
  });
  const std::vector<std::int32_t> labels = check_cifar_files(
      report, kind, folder, layout.train, layout.records_a_train_file, "training");
  check_cifar_files(report, kind, folder, {layout.test}, layout.records_test, "test");
  note_order(report, labels, layout);
  check_archive(report, kind, settings.dir, folder);
}

void verify_idx(Report& report, const DataSettings& settings) {
  const auto counts_of = [](const ResidentDataset& set) {
    std::vector<std::size_t> counts(static_cast<std::size_t>(set.classes()));
    for (std::size_t i = 0; i < set.size(); ++i) ++counts[static_cast<std::size_t>(set.label(i))];
    return counts;
  };
  TrainTest sets;
  if (!add(report, [&] {
        sets = open_idx(settings.dir);
        return concat(settings.dir, ": four files, lengths and labels in order");
      })) {
    return;
  }
  for (const auto& [title, set] :
       {std::pair("training", sets.train.get()), {"test", sets.test.get()}}) {
    add(report, [&, title = title, set = set] {
      const std::vector<std::size_t> counts = counts_of(*set);
      const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
      if (*least == 0) {
        throw DataError(concat(title, " set: class ", least - counts.begin(), " has no image"));
      }
      return concat(title, " set: ", set->size(), " images, ", *least, " to ", *most,
                    " of each of ", counts.size(), " classes");
    });
  }
  report.notes.push_back("IDX files have no published checksum here, structure only");
}

void verify_scenes(Report& report, const DataSettings& settings) {
  const std::string& dir = settings.scenes.fashion_dir;
  add(report, [&] {
    const FashionItems items(dir);
    const auto most = [&](ScenePart part) { return items.count(part, 0); };
    return concat(dir, ": four files, lengths and labels in order, ", most(ScenePart::train), ", ",
                  most(ScenePart::validation), " and ", most(ScenePart::test),
                  " items of each class for training, validation and test");
  });
  report.notes.push_back("IDX files have no published checksum here, structure only");
}

}  // namespace

bool Report::passed() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.passed; });
}

Report verify(const DataSettings& settings) {
  check(settings);
  Report report;
  report.name = settings.name;
  if (settings.name == "scenes") {
    verify_scenes(report, settings);
  } else if (settings.name == "idx") {
    verify_idx(report, settings);
  } else {
    verify_cifar(report, settings,
                 settings.name == "cifar100" ? CifarKind::cifar100 : CifarKind::cifar10);
  }
  return report;
}

std::string to_text(const Report& report) {
  std::ostringstream out;
  for (const Check& check : report.checks)
    out << (check.passed ? "ok      " : "FAILED  ") << check.text << '\n';
  for (const std::string& note : report.notes) out << "note    " << note << '\n';
  out << report.name << (report.passed() ? ": in order\n" : ": NOT in order\n");
  return out.str();
}

nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const Check& check : report.checks) {
    checks.push_back({{"passed", check.passed}, {"text", check.text}});
  }
  return {{"format_version", 1},
          {"name", report.name},
          {"passed", report.passed()},
          {"checks", checks},
          {"notes", report.notes}};
}

}  // namespace smcl::data

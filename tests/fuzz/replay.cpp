// Stands for libFuzzer's main where there is none: runs a target once over every file of the
// folders that are named.

#include <exception>
#include <filesystem>

#include "format/file.h"
#include "fuzz/fuzz.h"

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      const std::vector<std::uint8_t> bytes = smcl::format::read_file(entry.path());
      std::fprintf(stderr, "%s\n", entry.path().c_str());  // the last one where it ends here
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
      ++files;
    }
  }
  std::printf("%zu files\n", files);
  return files > 0 ? 0 : 1;
}

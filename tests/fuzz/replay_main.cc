// Feeds every file of the given folders to a fuzz target, so that every build replays the corpora, with or without
// libFuzzer. Fails if a folder has no file, because then nothing was tested.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::size_t Replay(const std::filesystem::path& folder) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad() || !file.is_open()) {
      throw std::runtime_error("cannot read " + entry.path().string());
    }
    std::cout << entry.path().string() << std::endl;  // flushed: the last printed file is the one that crashed
    const std::vector<std::uint8_t> input(text.begin(), text.end());
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++files;
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::filesystem::path> folders(argv + 1, argv + argc);
  if (folders.empty()) {
    std::cerr << "usage: replay FOLDER...\n";
    return 2;
  }
  for (const auto& folder : folders) {
    const std::size_t files = Replay(folder);
    if (files == 0) {
      std::cerr << "nothing to replay in " << folder << "\n";
      return 1;
    }
    std::cout << files << " files of " << folder << "\n";
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "replay: " << error.what() << "\n";
  return 1;
}

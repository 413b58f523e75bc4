// Writes what the codec tests read as the first inputs of the fuzz targets: <folder>/<family>/…
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "codecs/stream_fixture.hpp"

using namespace openindex;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  int number = 0;
  for (const test::Streamed& one : test::streams()) {
    const std::filesystem::path folder = std::filesystem::path(arguments[1]) / to_text(one.family);
    std::filesystem::create_directories(folder);
    const std::string name = std::to_string(++number);
    // The first byte: see decode_fuzz.cpp. Errors are read from the same bytes under another status.
    std::ofstream(folder / ("whole" + name), std::ios::binary) << '\x00' << one.whole;
    std::ofstream(folder / ("stream" + name), std::ios::binary) << '\x03' << one.stream;
    std::ofstream(folder / ("error" + name), std::ios::binary)
        << '\x28' << R"({"error":{"message":"slow down","type":"rate"}})";
  }
  return number > 0 ? 0 : 1;
}

// Writes what the codec tests read as the first inputs of the fuzz targets: <folder>/<family>/…
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "codecs/stream_fixture.hpp"

namespace {

using namespace openindex;

const char* name_of(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return "openai_chat";
    case WireFamily::anthropic_messages:
      return "anthropic_messages";
    case WireFamily::ollama_chat:
      return "ollama_chat";
    case WireFamily::openai_responses:
      return "openai_responses";
    case WireFamily::google_generate_content:
      return "google_generate_content";
    case WireFamily::cohere_chat:
      return "cohere_chat";
    case WireFamily::bedrock_converse:
      return "bedrock_converse";
  }
  return "";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  int number = 0;
  for (const test::Streamed& one : test::streams()) {
    const std::filesystem::path folder = std::filesystem::path(arguments[1]) / name_of(one.family);
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

#include "provider/protocols/nats_credentials.hpp"

#include <doctest/doctest.h>

#include "provider/nats_credentials_sample.hpp"

using namespace openindex;
using namespace openindex::test;
using providers::read_nats_credentials;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

TEST_CASE("a credentials file is read in the forms that tools write, and its key signs") {
  const std::string seed_first = sample_credentials.substr(sample_credentials.find("-----BEGIN USER")) +
                                 sample_credentials.substr(0, sample_credentials.find("****"));
  for (const std::string& file : {sample_credentials, replaced(sample_credentials, "\n", "\r\n"), seed_first,
                                  replaced(sample_credentials, "\n", "  \n  ")}) {
    CAPTURE(file);
    const auto read = read_nats_credentials(file);
    REQUIRE_MESSAGE(read.has_value(), (read ? std::string() : read.error().describe()));
    CHECK(read->jwt == sample_jwt);
    CHECK(sign_nats_nonce(*read, sample_nonce) == sample_signature);
    CHECK(sign_nats_nonce(*read, "another") != sample_signature);
  }
}

TEST_CASE("a credentials file that is none is refused, and nothing of it is repeated") {
  const std::string seed = sample_seed;
  const std::string shorter = seed.substr(0, 57);
  const struct {
    std::string file;
    const char* reason;
  } table[] = {
      {"", "no line of a JWT"},
      {"MARKER", "no line of a JWT"},
      {"-----BEGIN NATS USER JWT-----\n" + std::string(sample_jwt), "no line of a JWT"},
      {credentials_file("", seed), "no line of a JWT"},
      {credentials_file(std::string(sample_jwt) + "\nMARKER", seed), "no line of a JWT"},
      {credentials_file("a.b", seed), "a JWT that is none"},
      {credentials_file("a..b", seed), "a JWT that is none"},
      {credentials_file(".a.b", seed), "a JWT that is none"},
      {credentials_file("a.b.", seed), "a JWT that is none"},
      {credentials_file("a.b.\"MARKER", seed), "a JWT that is none"},
      {credentials_file("a.b.c.d", seed), "a JWT that is none"},
      {credentials_file(sample_jwt, ""), "no line of a seed"},
      {credentials_file(sample_jwt, shorter), "no 58 letters of base32"},
      {credentials_file(sample_jwt, seed + "A"), "no 58 letters of base32"},
      {credentials_file(sample_jwt, shorter + "1"), "no 58 letters of base32"},
      {credentials_file(sample_jwt, shorter + "y"), "no 58 letters of base32"},
      {credentials_file(sample_jwt, shorter + "Z"), "no 58 letters of base32"},  // two bits that belong to nothing
      {credentials_file(sample_jwt, replaced(seed, "DTJ7", "DTK7")), "check sum is wrong"},
      {credentials_file(sample_jwt, "SAACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCTIMI"), "not a user's"},
      {credentials_file(sample_jwt, "SOACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCRECA"), "not a user's"},
      {credentials_file(sample_jwt, "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"), "no 58 letters"},
      {sample_credentials + std::string(65'536, ' '), "longer than 65536 bytes"},
  };
  for (const auto& row : table) {
    const std::string file = row.file;
    CAPTURE(file);
    const auto read = read_nats_credentials(file);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == errc::invalid_argument);
    const std::string told = read.error().describe();
    CAPTURE(told);
    CHECK(told.find(row.reason) != std::string::npos);
    CHECK(told.find("MARKER") == std::string::npos);
    CHECK(told.find("SSL3UAHU") == std::string::npos);
  }
}

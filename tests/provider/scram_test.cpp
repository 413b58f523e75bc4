// SCRAM by the conversations that its RFCs publish, and with servers that do not keep to them.
#include "provider/protocols/scram.hpp"

#include <doctest/doctest.h>

#include <array>

#include "provider/protocols/md5_hex.hpp"
#include "provider/scram_server.hpp"

using namespace openindex;
using namespace openindex::test;
using providers::md5_hex;
using providers::Scram;
using providers::ScramHash;

namespace {

struct Conversation {
  ScramHash hash;
  std::string password;
  std::string nonce;
  std::string server_first;
  std::string client_final;
  std::string server_final;
};

const std::string short_nonce = "fyko+d2lbbFgONRv9qkxdawL";
const std::string long_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string long_answer =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string long_final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=";

// RFC 5802, 5; RFC 7677, 3; the specification of MongoDB's drivers. For SHA-512 there is none: Python's hashlib
// computed that one.
const std::array<Conversation, 4> published{{
    {ScramHash::sha1, "pencil", short_nonce, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
     "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {ScramHash::sha256, "pencil", long_nonce, long_answer,
     long_final + "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    {ScramHash::sha512, "pencil", long_nonce, long_answer,
     long_final + "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
     "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
    {ScramHash::sha1, md5_hex("user:mongo:pencil"), short_nonce,
     "r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000",
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,p=MC2T8BvbmWRckDw8oWl5IVghwCY=",
     "v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0="},
}};

std::string answer_to(const std::string& server_first) {
  return Scram(ScramHash::sha256, "user", "pencil", long_nonce).answer(server_first).value_or("");
}

}  // namespace

TEST_CASE("SCRAM says what the published conversations say") {
  for (const Conversation& row : published) {
    Scram scram(row.hash, "user", row.password, row.nonce);
    CHECK(scram.first() == "n,,n=user,r=" + row.nonce);
    CHECK_FALSE(scram.proves(row.server_final));  // before it was asked for
    CHECK(scram.answer(row.server_first) == row.client_final);
    CHECK(scram.proves(row.server_final));
    CHECK(scram.proves(row.server_final + ",x=extension"));
    CHECK_FALSE(scram.proves(row.server_final + "="));
    CHECK_FALSE(scram.proves("v="));
    CHECK_FALSE(scram.proves("e=invalid-proof"));
    CHECK_FALSE(scram.proves(""));
  }
}

TEST_CASE("a SCRAM server's first message is taken in the RFC's form only") {
  const std::string nonce = "r=" + long_nonce + "more", salt = ",s=W22ZaJ0SNY7soEsUEjb6gQ==", rounds = ",i=4096";
  CHECK_FALSE(answer_to(nonce + salt + rounds).empty());
  CHECK_FALSE(answer_to(nonce + salt + rounds + ",x=extension").empty());
  for (const std::string& said :
       {std::string(), std::string("e=other-error"), "m=must," + nonce + salt + rounds, nonce + rounds + salt,
        salt.substr(1) + "," + nonce + rounds, nonce + salt, nonce + rounds, "r=" + long_nonce + salt + rounds,
        "r=x" + long_nonce + salt + rounds, nonce + ",s=" + rounds, nonce + ",s=W22Za" + rounds,
        nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==W22Z" + rounds, nonce + ",s=A===" + rounds, nonce + ",s=-_-_" + rounds,
        nonce + salt + ",i=", nonce + salt + ",i=4096x", nonce + salt + ",i=-4096", nonce + salt + ",i= 4096",
        nonce + std::string(5000, 'x') + salt + rounds}) {
    CAPTURE(said);
    CHECK(answer_to(said).empty());
  }
}

TEST_CASE("a SCRAM server gets no proof for fewer rounds than are safe, and no hours of work for more") {
  const auto asking = [](const std::string& rounds) {
    return "r=" + long_nonce + "more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=" + rounds;
  };
  for (const char* rounds : {"0", "1", "4095", "1000001", "2147483647", "99999999999999999999"}) {
    CAPTURE(rounds);
    CHECK(answer_to(asking(rounds)).empty());
  }
  Scram lenient(ScramHash::sha256, {}, "pencil", long_nonce, {.min = 1, .max = 10});
  CHECK(lenient.answer(asking("1")));
  // Nor may it ask again and again.
  CHECK_FALSE(lenient.answer(asking("1")));
  CHECK_FALSE(Scram(ScramHash::sha256, {}, "pencil", long_nonce, {.min = 1, .max = 10}).answer(asking("11")));
}

TEST_CASE("SCRAM spells names so that they end where they end") {
  CHECK(Scram(ScramHash::sha1, "a,b=c", "p", "N").first() == "n,,n=a=2Cb=3Dc,r=N");
  CHECK(Scram(ScramHash::sha1, {}, "p", "N").first() == "n,,n=,r=N");
}

TEST_CASE("the two sides of SCRAM agree about a password, and about nothing else") {
  const struct {
    ScramHash hash;
    const EVP_MD* digest;
  } table[] = {{ScramHash::sha1, EVP_sha1()}, {ScramHash::sha256, EVP_sha256()}, {ScramHash::sha512, EVP_sha512()}};
  for (const auto& row : table) {
    ScramServer server{.digest = row.digest, .password = "pässword, with a lot of characters"};
    Scram right(row.hash, "mia", server.password, "N1");
    CHECK(right.proves(server.last(right.answer(server.first(right.first())).value())));
    Scram wrong(row.hash, "mia", "another", "N2");
    CHECK(server.last(wrong.answer(server.first(wrong.first())).value()).empty());
    ScramServer pretender = server;
    pretender.signs = false;
    Scram deceived(row.hash, "mia", server.password, "N3");
    CHECK_FALSE(deceived.proves(pretender.last(deceived.answer(pretender.first(deceived.first())).value())));
  }
}

TEST_CASE("a nonce is printable, holds no comma, and is another each time") {
  const std::string one = providers::scram_nonce(system_random()), other = providers::scram_nonce(system_random());
  CHECK(one.size() == 24);
  CHECK(one != other);
  CHECK(one.find(',') == std::string::npos);
}

TEST_CASE("MD5 is written in 32 digits") {
  CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_hex("user:mongo:pencil") == "1c33006ec1ffd90f9cadcbcc0e118200");
}

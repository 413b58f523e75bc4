// A user's key that NATS's own documentation shows, in a file as `nsc` writes it.
#pragma once

#include <string>

namespace openindex::test {

inline constexpr const char* sample_seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
inline constexpr const char* sample_jwt = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJVRFhVIn0.c2ln";

// Ed25519 has one signature for each key and text: this one was made by another library.
inline constexpr const char* sample_nonce = "PXoWU7zWAMt75FY";
inline constexpr const char* sample_signature =
    "zHsjAXoXbo2tbVRLf6_3-aHC2CGLiez1yMSLOyF4Z2wmzmO4ppyieii5IZsQSBgfdppsi6wMHWzYYXUv6A-8DQ";

inline std::string credentials_file(const std::string& jwt, const std::string& seed) {
  return "-----BEGIN NATS USER JWT-----\n" + jwt +
         "\n------END NATS USER JWT------\n\n************************* IMPORTANT *************************\n"
         "NKEY Seed printed below can be used to sign and prove identity.\nNKEYs are sensitive and should be treated "
         "as secrets.\n\n-----BEGIN USER NKEY SEED-----\n" +
         seed + "\n------END USER NKEY SEED------\n\n*************************************************************\n";
}
inline const std::string sample_credentials = credentials_file(sample_jwt, sample_seed);

}  // namespace openindex::test

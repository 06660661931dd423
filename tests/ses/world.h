// A healthy domain at SES, to be spoiled one thing at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mail/address.h"
#include "ses/keeping_resolver.h"
#include "ses/predict.h"
#include "support/fake_resolver.h"

namespace sesame::test {

// An RSA-2048 public key made for these tests; its private half was not kept.
inline const std::string kPublicKey =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtZhAsN1JHj3DY/Q3kfqI4IyMPpCWb5tg7vmZOesa6xMnz2rd93yBQoJ7VCaok/"
    "Dup3X+aDFHxvma7SWnpoE1m2CsFuSoFr4Mk+OSC6xyZlvOErmGNJZY1rUqmZx1u8LBp0kXkxtzytKvdRcFgqagmB6iTy3C"
    "2KlldsxXO5h0Et4drzQz/JuGmuuFDab7RspJjZfoTBccfbT+mIfe9NGMa20wMHUcGNB7MEVgSdL9WrqwEggqt5xN30i66MXqqTxjv/"
    "4srbkgtazX8cuftzVObYJldBCxJznRTBjYEoZXUOjCQRZy3EuTGYjV8grosysm/IE9CoFZqKo1G4dcdsq8BQIDAQAB";

// example.com in us-east-1: Easy DKIM with one active key, a custom MAIL FROM, a DMARC record.
struct SesWorld {
  SesWorld();

  FakeResolver resolver;
  ses::Account account;
  mail::Envelope envelope;
  mail::Fields fields;
  std::vector<dkim::Outcome> upstream;
  mail::Shape shape;
  std::string configuration_set;        // that the relay chooses
  std::vector<ses::Account> others;     // known besides `account`
  std::vector<std::string> tracking;    // configuration sets with open or click tracking
  std::vector<std::string> stale;       // "TXT example.com": questions whose answers are past their time to live
  std::optional<ses::History> history;  // observed of every identity
  KeepingResolver* cache = nullptr;     // keeps the answers; null: nobody does, and each is an object of its own
  std::int64_t now = 1'700'000'000;

  ses::Identity& identity() { return account.identities.edit().front(); }
  ses::Identity& add_identity(const std::string& name);
  void dns(std::string_view lines) { resolver.zone().add(lines); }
  // The records of that name are replaced.
  void replace(std::string_view name, std::string_view lines);
  void from(const std::string& value);
  void header(const std::string& name, const std::string& value) { fields.push_back({name, " " + value}); }
  ses::Prediction predict();
};

std::vector<std::string> codes(const ses::Prediction& prediction);

}  // namespace sesame::test

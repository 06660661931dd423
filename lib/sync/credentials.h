// Where the keys to the API come from, in the order of the AWS SDKs: the environment, the shared credentials file, the
// container's agent (ECS, EKS), the instance's metadata (EC2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/http.h"
#include "util/clock.h"
#include "util/result.h"

namespace sesame::sync {

struct Credentials {
  std::string key_id;
  std::string secret;
  std::string session_token{};            // "" = none
  std::optional<std::int64_t> expires{};  // unix seconds
  std::string source{};                   // for people: "the environment"
  // Whose they are, as far as they tell: the same for two only where their account is. Names no secret.
  std::string owner{};
};

class CredentialChain {
 public:
  // `profile` is the one asked for by name: then the environment's keys do not count. "" = AWS_PROFILE, else "default".
  CredentialChain(http::Client& client, const Clock& clock, std::string profile);

  // The same until they are about to expire or are renewed; those that cannot be had anew serve to their end. Errors
  // hold no secrets.
  Result<Credentials> get();
  // What get() gave was refused: the next get() fetches again.
  void renew() { current_.reset(); }

 private:
  Result<Credentials> fetch(std::int64_t now);

  http::Client& client_;
  const Clock& clock_;
  std::string profile_;
  std::optional<Credentials> current_;
};

}  // namespace sesame::sync

// A whole message through the verifier.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dkim/dkim.h"
#include "support/fake_resolver.h"

namespace sesame::test {

inline constexpr std::int64_t kNow = 1700000000;

inline dkim::Options at(std::int64_t now) {
  dkim::Options options;
  options.now = now;
  return options;
}

// `message` may have LF line ends.
std::vector<dkim::Outcome> check(dns::Resolver& resolver, std::string_view message,
                                 const dkim::Options& options = at(kNow),
                                 const std::vector<std::string>& authors = {"example.com"});

}  // namespace sesame::test

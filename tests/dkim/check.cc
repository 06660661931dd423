#include "check.h"

#include "mail/message.h"

namespace sesame::test {

std::vector<dkim::Outcome> check(dns::Resolver& resolver, std::string_view message, const dkim::Options& options,
                                 const std::vector<std::string>& authors) {
  const auto parsed = mail::read_message(message);
  dkim::Verifier verifier(resolver, options);
  for (const auto& field : parsed.fields) verifier.field(field);
  verifier.end_of_header(parsed.fields, authors);
  verifier.body(parsed.body);
  return verifier.finish(std::chrono::steady_clock::now() + std::chrono::seconds(5));
}

}  // namespace sesame::test

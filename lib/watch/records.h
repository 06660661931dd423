// What is watched: the records that SES and receivers need of each identity.
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
#pragma once

#include <string>
#include <vector>

#include "dns/record.h"
#include "ses/accounts.h"

namespace sesame::watch {

// zone: the delegation, the servers and their serials of the zone that holds the identity's domain.
// amazon: what SES itself publishes; a fault there is not the user's.
enum class Part { dkim, mail_from_mx, mail_from_spf, dmarc, zone, amazon };
const char* to_string(Part part);  // "DKIM", "MAIL FROM MX", ...

// One name and what is asked of it.
struct Record {
  Part part = Part::dkim;
  std::string name;              // canonical
  std::vector<dns::Type> types;  // each is asked: of an Easy DKIM name CNAME and TXT
  // What should stand there: the target of the CNAME, "10 feedback-smtp.us-east-1.amazonses.com"; "" = judged by its
  // meaning (a key, a policy, an SPF record that SES passes).
  std::string expected;
  // SES did not tell the zone of that target: the zone of this region stands in for it (ses::KeyZone::guessed_for).
  std::string zone_by_region = {};
  bool operator==(const Record&) const = default;
};

// An identity of one account and region, with its records: of DKIM, of its MAIL FROM domain, the DMARC record at its
// domain, the domain's zone, Amazon's own. An address that signs with its domain's keys and has no MAIL FROM domain of
// its own has none.
struct Subject {
  std::string identity;  // Identity::name
  std::string account;
  std::string region;
  std::string domain;
  std::vector<Record> records;
  bool operator==(const Subject&) const = default;
};

// Of all identities, each once, in the order of account, name and region; those without records are left out.
std::vector<Subject> subjects_of(const ses::Accounts& accounts);

}  // namespace sesame::watch

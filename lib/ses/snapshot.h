// A snapshot of what the SESv2 API says of the accounts, as a file in the shape of the API's own answers:
//
//   {"version": 1,
//    "regions": [
//      {"account": "111122223333", "region": "us-east-1", "fetched": "2026-01-01T00:00:00Z",
//       "GetAccount": {"ProductionAccessEnabled": true, ...},
//       "identities": [
//         {"IdentityName": "example.com", "fetched": "2026-01-01T00:00:00Z",
//          "GetEmailIdentity": {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": true, "DkimAttributes": {...},
//          ...}, "status_since": "...", "former": {"SigningAttributesOrigin": "AWS_SES", "Tokens": [...], "until":
//          "..."}}]}]}
//
// "account" is the name the configuration gives to the account ("" or absent for the only one). What stands under the
// names of API operations is an answer as it came: any member may be absent or null, and members not known here
// are passed over. What stands there in a word or a kind not known here is kept as such (`unread_...` of Identity and
// Standing): nothing definite follows from it. What is ours is not guessed at: "version", "regions", and of each region
// "region", "fetched" and "identities" with an "IdentityName" each must be there, and a region of an account stands
// there once. An identity without "fetched" is as old as its region's list; one whose name can be no identity's is
// passed over. Times of ours are RFC 3339 texts in UTC; those of the API are those texts or seconds since 1970, as its
// answers and the AWS command line write them. "status_since", "former" and "last_success" are what `sesame sync`
// remembers of earlier answers; the last stands in for a LastSuccessTimestamp that is not told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ses/identity.h"
#include "util/result.h"

namespace sesame::ses {

struct Snapshot {
  struct Region {
    std::string account;
    std::string region;
    std::int64_t fetched = 0;  // when the list of identities was complete, unix seconds
    Standing standing;
    std::vector<Identity> identities;
  };
  std::vector<Region> regions;
  std::vector<std::string> remarks;  // what was not understood and passed over, one printable sentence each
};

// `name` stands for the file in errors, which say what is wrong and where.
Result<Snapshot> parse_snapshot(std::string_view text, const std::string& name);
Result<Snapshot> load_snapshot(const std::string& path);

}  // namespace sesame::ses

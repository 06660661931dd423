// A snapshot of an account made anew: everything is fetched before anything is replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sync/sesv2.h"
#include "util/clock.h"
#include "util/result.h"

namespace sesame::sync {

struct Job {
  std::string account;  // as in ses::Identity::account
  // What earlier syncs stored under no account's name is this account's, which had none then.
  bool takes_nameless = false;
  std::vector<std::string> regions;
  std::string snapshot;      // the file; beside it FILE.partial keeps what an interrupted sweep has fetched
  std::int64_t max_age = 0;  // seconds; what is kept there and is older is fetched again
};

struct Progress {
  std::string region;
  std::size_t done = 0;
  std::size_t total = 0;
};

// What is not as the snapshot before had it.
struct Change {
  std::string region;
  std::string identity;  // "" = the account
  std::string member;    // of the answer, "DkimAttributes.Status"; "" = the identity itself is new or gone
  std::string before;    // "" = was not told
  std::string after;
};

struct Swept {
  struct Region {
    std::string region;
    std::size_t identities = 0;
    std::size_t kept = 0;  // of these, fetched by an interrupted sweep
  };
  std::vector<Region> regions;
  std::vector<Change> changes;
  std::vector<std::string> remarks;  // what was passed over, one printable sentence each
};

// An error leaves the snapshot as it was.
Result<Swept> sweep(const Job& job, SesV2& api, const Clock& clock,
                    const std::function<void(const Progress&)>& progress);

}  // namespace sesame::sync

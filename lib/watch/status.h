// How the watched records stand, for people and programs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "watch/look.h"
#include "watch/memory.h"
#include "watch/state.h"

namespace sesame::watch {

// fine: no fault of the user's records. undecided: nothing answered, or nobody looked lately.
enum class Judgement { fine, bad, undecided };

// As the memory has it.
struct Status {
  std::vector<RecordState> states;  // in the order of account, identity and region
  std::vector<Silence> silences;
  std::int64_t last_look = 0;       // unix seconds; 0 = never
  std::chrono::seconds interval{};  // at which the watch should look; 0 = there is none
  std::int64_t now = 0;
  // faults: identities that are well are only counted.
  enum class Detail { faults, all } detail = Detail::faults;
};
Judgement judge(const Status& status);
std::string status_text(const Status& status);
std::string status_json(const Status& status);

// A look just made, and what became of its records.
struct Seen {
  Look look;
  std::vector<RecordState> states;
};
Judgement judge(const std::vector<Seen>& seen);
std::string seen_text(const std::vector<Seen>& seen);
std::string seen_json(const std::vector<Seen>& seen);

}  // namespace sesame::watch

// What a run came to.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/session.h"
#include "bench/verdict.h"

namespace sesame::bench {

class Tally {
 public:
  void add(const Transaction& transaction);
  void add_lost() { ++lost_; }

  std::uint64_t messages() const { return messages_; }
  bool all_right() const { return wrong_ == 0 && lost_ == 0; }
  // `seconds` that the messages took, by the clock.
  nlohmann::json json(double seconds) const;
  // file, spf, dkim, dmarc with tabs between, of every message seen; as found the last time.
  std::string verdicts() const;

 private:
  struct Seen {
    std::string fields;  // Authentication-Results, all together
    Verdict verdict;
    std::vector<std::string> wrong;
  };
  const Seen& judge(const Transaction& transaction);

  std::uint64_t messages_ = 0, octets_ = 0, right_ = 0, wrong_ = 0, lost_ = 0;
  std::vector<float> whole_us_, end_us_;
  std::map<std::string, std::uint64_t> answers_, actions_, wrong_methods_;
  std::unordered_map<const Mail*, Seen> seen_;
  nlohmann::json first_wrong_ = nlohmann::json::array();
};

// "add Authentication-Results", "insert ...", "quarantine", and so on.
std::string describe(const Edit& edit);
// The answer and the edits of one message, in full.
nlohmann::json to_json(const Transaction& transaction);

}  // namespace sesame::bench

// An MTA that writes down what it is asked for.
#pragma once

#include <string>
#include <vector>

#include "milter/apply.h"

namespace sesame::test {

struct FakeMta final : milter::MtaEdits {
  bool remove(const std::string& name, std::size_t occurrence) override {
    return take("remove " + name + " " + std::to_string(occurrence));
  }
  bool insert_at_top(const std::string& name, const std::string& value) override {
    return take("insert " + name + ":" + value);
  }
  bool quarantine(const std::string& reason) override { return take("quarantine " + reason); }
  bool reply(const std::string& code, const std::string& enhanced_code, const std::string& text) override {
    return take("reply " + code + " " + enhanced_code + " " + text);
  }

  bool take(std::string call) {
    calls.push_back(std::move(call));
    return calls.size() != refuse_call;
  }

  std::vector<std::string> calls;
  std::size_t refuse_call = 0;  // which call is refused, from 1; 0 = none
};

}  // namespace sesame::test

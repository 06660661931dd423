// Which lines of main.cf Sesame needs, given those that are there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postfix.h"
#include "setup.h"

namespace sesame::cli {

inline constexpr const char* kMilterLists[] = {"smtpd_milters", "non_smtpd_milters"};

struct PostfixPlan {
  std::string milter;           // Sesame, as Postfix names it
  std::vector<MadeLine> lines;  // all that setup made and would make, with what stood there before
  std::vector<MadeLine> shown;  // of these, what would change now, with what stands there now
  std::vector<std::string> remarks;
};

Result<PostfixPlan> plan_postfix(const config::Config& config, const Postfix& postfix,
                                 const std::optional<SetupState>& state);

}  // namespace sesame::cli

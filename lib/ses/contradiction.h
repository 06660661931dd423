// Where mail that came back through SES is not as it was foreseen.
#pragma once

#include <optional>

#include "ses/diagnose.h"
#include "ses/history.h"
#include "ses/predict.h"

namespace sesame::ses {

// What came is no longer held against what will be after this many seconds: the account may have changed since.
inline constexpr std::int64_t kArrivalMaxAge = 7 * 86400;

// `prediction` is for mail of the arrival's author through world.account. A finding only: it makes no verdict better or
// worse, because a stranger can send old messages again. Nothing where the two agree, where either leaves it open, and
// where the arrival need not speak of this account: it came through another one or another region, or is older than
// what the API told of the identity.
std::optional<Finding> contradiction(const Surroundings& world, const Prediction& prediction, const Arrival& arrival);

}  // namespace sesame::ses

// A message whose recipients are reached through different relays leaves in several ways; one whose relay is not known
// may leave in any of several.
#pragma once

#include <span>

#include "ses/predict.h"

namespace sesame::ses {

// What holds whichever way it takes. `ways` has at least one; the first one's account and legs stand for all.
Prediction in_common(std::span<const Prediction> ways);

}  // namespace sesame::ses

// What differs between two answers of the API. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "sync/json.h"
#include "sync/sweep.h"

namespace sesame::sync {

// Of two parts of a snapshot with the same account and region. Nothing when there was none before.
std::vector<Change> changes_between(const Json* before, const Json& after);

}  // namespace sesame::sync

// What is kept of one message, told to a person.
#pragma once

#include <string>

#include "history_args.h"

namespace sesame::cli {

// The event that stands in the row; null where there is none that can be read.
Json story_of(const history::Row& row);
std::string story_text(const history::Row& row);

}  // namespace sesame::cli

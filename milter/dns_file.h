// The cache of DNS answers over a restart: dns.cache_file.
#pragma once

#include "inspect/inspect.h"
#include "milter/log.h"

namespace sesame::milter {

// What comes of it is told. Nothing where no file is configured.
void load_answers(const inspect::Runtime& runtime, Log& log);
void save_answers(const inspect::Runtime& runtime, Log& log);

}  // namespace sesame::milter

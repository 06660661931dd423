// The cache's answers in a file, so that a restart asks no more than usual.
#pragma once

#include <cstddef>
#include <string>

#include "dns/caching_resolver.h"
#include "util/clock.h"
#include "util/result.h"

namespace sesame::dns {

// Writes what the cache knows, most valuable first as far as the file may grow, in place of the file of before. How
// many answers were saved. A file there that is not a cache of this or an earlier version is not replaced: it is an
// error.
Result<std::size_t> save_answers(const CachingResolver& resolver, const std::string& path, const Clock& clock);

// Takes the answers of such a file; the time that passed meanwhile counts against them. How many were taken: 0 when
// there is no file, or an empty one. One that is damaged, foreign or of a later version is an error that names it; then
// neither it nor the cache is changed.
Result<std::size_t> load_answers(CachingResolver& resolver, const std::string& path, const Clock& clock);

}  // namespace sesame::dns

// How severe a line of the log is.
#pragma once

namespace sesame::milter {

enum class Level { debug, info, warning, error };

}  // namespace sesame::milter

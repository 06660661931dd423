// Where the status is asked for.
#pragma once

#include <string>

#include "util/result.h"

namespace sesame::milter {

struct StatusSocket {
  int listener = -1;  // not blocking
  std::string path;   // of a unix socket, to be removed in the end; "" = it is none
};

// `listen` as the configuration has it, not empty. A unix socket has mode 0660, and takes the place of one that nobody
// answers at, never of anything else.
Result<StatusSocket> open_status_socket(const std::string& listen);

}  // namespace sesame::milter

// The bridge to libmilter, which only these files, channel.*, sessions.cc and steps.cc know.
#pragma once

#include <string>

#include "milter/session.h"
#include "util/result.h"

namespace sesame::milter {

// Opens the socket and registers the callbacks. `socket` as in the configuration. For a UNIX socket, a file left by a
// daemon that died is replaced, one that somebody listens on is not; its mode is 0660, so that the MTA connects as a
// member of the group it belongs to.
Result<void> open_socket(const std::string& socket, Service& service);
// Serves; returns only when libmilter can go on no longer.
void serve();

// The path of a UNIX socket in libmilter's form; "" for the other kinds.
std::string unix_path(const std::string& socket);

}  // namespace sesame::milter

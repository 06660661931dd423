// What hosts that share a database agree on: which of them does what one alone should do, and what it tells the others.
#pragma once

#include <memory>
#include <string>

#include "util/result.h"

namespace sesame::history {

// For one thread at a time. Waits for the server as a store does; after an error it is of no more use.
class Fleet {
 public:
  virtual ~Fleet() = default;
  // Is this host the one, from now on or still? It is until this object goes away or its connection ends, of which the
  // server knows within half a minute when the host has no power.
  virtual Result<bool> hold() = 0;
  // Instead of what was there.
  virtual Result<void> publish(const std::string& text) = 0;
  virtual Result<std::string> read() = 0;  // "": nothing was ever published
};

// `url` is a PostgreSQL's.
Result<std::unique_ptr<Fleet>> join_fleet(const std::string& url);

}  // namespace sesame::history

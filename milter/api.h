// The answers behind the dashboard: JSON, and the files of the page itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "milter/session.h"
#include "milter/watching.h"

namespace sesame::milter {

struct Reply {
  int status = 200;  // of HTTP
  std::string type;  // "application/json", "text/html; charset=utf-8"
  std::string body;
};

// Thread-safe. Only so many questions are put to the history at once: whoever asks beyond that is told to ask again,
// and the other answers are not kept waiting.
class Api {
 public:
  Api(Service& service, Watching& watching);
  ~Api();

  // `path` without the query: "/api/overview" and the others, "/", "/app.js", "/style.css", "/icon.svg"; 404 for what
  // is not there. `query`: the last value of a name counts.
  Reply get(std::string_view path, const std::map<std::string, std::string>& query) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::milter

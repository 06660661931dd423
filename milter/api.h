// The answers behind the dashboard: JSON, and the files of the page itself.
#pragma once

#include <map>
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

// Thread-safe.
class Api {
 public:
  Api(Service& service, Watching& watching) : service_(service), watching_(watching) {}

  // `path` without the query: "/api/overview" and the others, "/", "/app.js", "/style.css"; 404 for what is not there.
  // `query`: the last value of a name counts.
  Reply get(std::string_view path, const std::map<std::string, std::string>& query) const;

 private:
  Service& service_;
  Watching& watching_;
};

}  // namespace sesame::milter

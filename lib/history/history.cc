#include "history/history.h"

#include <algorithm>

namespace sesame::history {

std::string shown(const std::string& store) {
  if (!is_postgresql(store)) return store;
  auto rest = store.substr(store.find("//") + 2);
  // As libpq reads it: a user and a password end at the first "@", and may hold anything else but "/".
  if (const auto end = rest.find_first_of("@/"); end != std::string::npos && rest[end] == '@') rest.erase(0, end + 1);
  rest.resize(std::min(rest.size(), rest.find_first_of("?#")));
  // Where another "@" is left, it is no URL that works, and what stands before may be the end of a password.
  rest.erase(0, rest.rfind('@') + 1);
  return "postgresql://" + rest;
}

const char* to_string(Alignment alignment) {
  switch (alignment) {
    case Alignment::both:
      return "both";
    case Alignment::dkim:
      return "dkim";
    case Alignment::spf:
      return "spf";
    case Alignment::none:
      return "none";
    case Alignment::unknown:
      break;
  }
  return "unknown";
}

}  // namespace sesame::history

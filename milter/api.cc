#include "milter/api.h"

namespace sesame::milter {

Reply Api::get(std::string_view /*path*/, const std::map<std::string, std::string>& /*query*/) const {
  return {404, "text/plain; charset=utf-8", "not found\n"};
}

}  // namespace sesame::milter

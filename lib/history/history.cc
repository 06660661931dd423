#include "history/history.h"

namespace sesame::history {

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

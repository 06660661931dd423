#include "mail/envelope.h"

namespace sesame::mail {

const char* to_string(Iprev result) {
  switch (result) {
    case Iprev::none:
      return "none";
    case Iprev::pass:
      return "pass";
    case Iprev::fail:
      return "fail";
    case Iprev::temperror:
      return "temperror";
    case Iprev::permerror:
      break;
  }
  return "permerror";
}

}  // namespace sesame::mail

#include "watch/records.h"

namespace sesame::watch {

const char* to_string(Part part) {
  switch (part) {
    case Part::dkim:
      return "DKIM";
    case Part::mail_from_mx:
      return "MAIL FROM MX";
    case Part::mail_from_spf:
      return "MAIL FROM SPF";
    case Part::dmarc:
      return "DMARC";
    case Part::zone:
      return "zone";
    case Part::amazon:
      break;
  }
  return "Amazon SES";
}

}  // namespace sesame::watch

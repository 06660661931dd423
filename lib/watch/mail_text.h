// A notice as a mail. Inside this folder only.
#pragma once

#include <string>

#include "watch/notice.h"

namespace sesame::watch {

// RFC 5322, in 7 bits and with the line ends of this system, as sendmail takes it. Without `from` there is no From
// field: sendmail writes the user's. `id` is what stands between the angle brackets of Message-ID.
std::string mail_text(const Notice& notice, const std::string& from, const std::string& to, const std::string& id);

}  // namespace sesame::watch

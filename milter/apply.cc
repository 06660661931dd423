#include "milter/apply.h"

#include <algorithm>

#include "mail/field.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

// RFC 5321 Section 4.5.3.1.5: 512 octets with code, enhanced code and CRLF.
constexpr std::size_t kMaxReplyText = 480;
constexpr std::size_t kMaxQuarantineReason = 200;

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, mail::is_ftext);
}

// Octets of the message's own names ("From :", obs-optional) may come back for a removal, so only what would break the
// protocol is refused there.
bool is_possible(const policy::Edit& edit) {
  if (edit.kind == policy::Edit::Kind::remove)
    return edit.occurrence > 0 && !edit.name.empty() && edit.name.find('\0') == std::string::npos;
  if (!is_field_name(edit.name)) return false;
  // A line end that white space does not follow would begin a field, or the body, of somebody else's making.
  for (std::size_t i = 0; i < edit.value.size(); ++i) {
    const char c = edit.value[i];
    if (c == '\0') return false;
    if (c == '\r' && (i + 1 == edit.value.size() || edit.value[i + 1] != '\n')) return false;
    if (c == '\n' && (i + 1 == edit.value.size() || !is_wsp(edit.value[i + 1]))) return false;
  }
  return true;
}

std::string with_lf(std::string_view value) {
  std::string text;
  std::copy_if(value.begin(), value.end(), std::back_inserter(text), [](char c) { return c != '\r'; });
  return text;
}

bool send(const policy::Edit& edit, MtaEdits& mta) {
  if (edit.kind == policy::Edit::Kind::remove) return mta.remove(edit.name, edit.occurrence);
  return mta.insert_at_top(edit.name, with_lf(edit.value));
}

tl::unexpected<Error> refused(const policy::Edit& edit) {
  const bool removal = edit.kind == policy::Edit::Kind::remove;
  return failure((removal ? "removing " : "inserting ") + printable(edit.name) + " is not possible");
}

}  // namespace

std::string reply_text(std::string_view reason) {
  std::string text;
  for (const char c : printable(reason, kMaxReplyText)) {
    text += c;
    if (c == '%') text += c;
  }
  return text;
}

Result<Next> apply(const policy::Decision& decision, MtaEdits& mta) {
  using Action = policy::Decision::Action;
  if (decision.action == Action::reject || decision.action == Action::tempfail) {
    // The step's own answer is enough for the MTA; a reply it does not take costs the sender only the explanation.
    mta.reply(decision.code, decision.enhanced_code, reply_text(decision.reason));
    return decision.action == Action::reject ? Next::reject : Next::tempfail;
  }
  for (const auto& edit : decision.edits)
    if (!is_possible(edit)) return refused(edit);
  for (const auto& edit : decision.edits)
    if (!send(edit, mta)) return refused(edit);
  if (decision.action == Action::hold && !mta.quarantine(printable(decision.reason, kMaxQuarantineReason)))
    return failure("the MTA does not take a quarantine");
  return Next::proceed;
}

}  // namespace sesame::milter

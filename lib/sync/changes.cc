#include "sync/changes.h"

#include <algorithm>
#include <array>

#include "sync/document.h"
#include "util/text.h"

namespace sesame::sync {
namespace {

// What decides about mail. A dot leads into an object.
constexpr std::array kOfIdentity = {"VerifiedForSendingStatus",
                                    "VerificationStatus",
                                    "DkimAttributes.Status",
                                    "DkimAttributes.SigningEnabled",
                                    "DkimAttributes.SigningAttributesOrigin",
                                    "DkimAttributes.Tokens",
                                    "DkimAttributes.SigningHostedZone",
                                    "MailFromAttributes.MailFromDomain",
                                    "MailFromAttributes.MailFromDomainStatus",
                                    "MailFromAttributes.BehaviorOnMxFailure",
                                    "ConfigurationSetName"};
constexpr std::array kOfAccount = {"ProductionAccessEnabled", "SendingEnabled", "EnforcementStatus"};

std::string word(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return printable(value.get<std::string>());
  if (!value.is_array()) return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::vector<std::string> words;
  for (const auto& each : value) words.push_back(word(each));
  std::ranges::sort(words);
  return join(words, " ");
}

std::string value_at(const Json* answer, std::string_view path) {
  for (const auto step : split(path, '.')) {
    if (!answer || !answer->is_object()) return "";
    const auto found = answer->find(std::string(step));
    answer = found == answer->end() ? nullptr : &*found;
  }
  return answer ? word(*answer) : "";
}

template <class Members>
void compare(const Json* before, const Json* after, const Members& members, const Change& where,
             std::vector<Change>& changes) {
  for (const char* member : members) {
    Change change = where;
    change.member = member;
    change.before = value_at(before, member);
    change.after = value_at(after, member);
    if (change.before != change.after) changes.push_back(std::move(change));
  }
}

}  // namespace

std::vector<Change> changes_between(const Json* before, const Json& after) {
  std::vector<Change> changes;
  if (!before) return changes;
  const Change where{.region = text_of(after, "region"), .identity = {}, .member = {}, .before = {}, .after = {}};
  compare(object_in(*before, "GetAccount"), object_in(after, "GetAccount"), kOfAccount, where, changes);
  const auto old = identities_by_name(before), now = identities_by_name(&after);
  for (const auto& [name, identity] : now) {
    Change here = where;
    here.identity = printable(name);
    if (const auto found = old.find(name); found != old.end()) {
      compare(object_in(*found->second, "GetEmailIdentity"), object_in(*identity, "GetEmailIdentity"), kOfIdentity,
              here, changes);
    } else {
      here.after = "new";
      changes.push_back(here);
    }
  }
  for (const auto& [name, identity] : old) {
    if (now.contains(name)) continue;
    Change here = where;
    here.identity = printable(name);
    here.after = "gone";
    changes.push_back(here);
  }
  return changes;
}

}  // namespace sesame::sync

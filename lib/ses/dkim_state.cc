#include "ses/dkim_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ses/clocks.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// A new set-up: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
constexpr std::int64_t kSearch = kNoticed;
// From the loss of a record to the revocation of the set-up.
constexpr std::int64_t kGrace = kRevoked;

// VerificationInfo.ErrorType in plain words.
constexpr std::array kErrorTypes = {
    std::pair(std::string_view("HOST_NOT_FOUND"), std::string_view("no such name, or no answer")),
    std::pair(std::string_view("TYPE_NOT_FOUND"), std::string_view("the name without the record")),
    std::pair(std::string_view("INVALID_VALUE"), std::string_view("a wrong value")),
    std::pair(std::string_view("DNS_SERVER_ERROR"), std::string_view("a name server that failed")),
    std::pair(std::string_view("SERVICE_ERROR"), std::string_view("nothing for certain")),
};

bool is_replication_error(const VerificationInfo& verification) {
  return verification.error_type.starts_with("REPLICATION_");
}

// What an identity's DKIM status means, with what else is known of it.
class Reading {
 public:
  Reading(const Surroundings& world, const Identity& given, const Identity& settings, const KeyRecords& records,
          Tri by_dns)
      : world_(world),
        given_(given),
        settings_(settings),
        records_(records),
        domain_(settings.domain()),
        open_(settings.aged && by_dns != Tri::no) {}

  DkimState run() && {
    if (!settings_.dkim.signing_enabled) {
      add(state_.deeper, Code::dkim_disabled,
          {{"identity", settings_.name}, {"is", settings_.aged ? "was" : "is"}, {"hedge", hedge(settings_)}});
      unsigned_because("DKIM signing " + std::string(settings_.aged ? "was" : "is") + " switched off for " +
                       settings_.name + hedge(settings_));
    }
    read_replica();
    const auto status = settings_.dkim.status;
    if (status && *status != Status::success) {
      unsigned_because("DKIM of " + settings_.name + " in SES " + (settings_.aged ? "was " : "is ") +
                       worded(settings_, *status));
      if (!is_replication_error(settings_.verification)) read_status(*status);
    }
    const auto& unread = settings_.dkim.unread_state;
    if (!unread.empty()) not_known_because("SES says of the DKIM of " + settings_.name + " " + not_known(unread));
    return std::move(state_);
  }

 private:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

  void add(std::vector<Finding>& findings, Code code, Fields fields) {
    findings.push_back(open_ ? make_finding(code, Severity::unknown, fields) : make_finding(code, fields));
  }
  void unsigned_because(std::string reason) {
    if (state_.signs == Tri::yes) state_.reason = std::move(reason);
    state_.signs = settings_.aged ? Tri::unknown : Tri::no;
  }
  void not_known_because(std::string reason) {
    if (state_.signs != Tri::yes) return;
    state_.signs = Tri::unknown;
    state_.reason = std::move(reason);
  }
  std::string effect() const {
    return settings_.aged ? "if that still holds, mail is not signed for it" : "mail is not signed for it";
  }

  // https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-deed.html
  void read_replica() {
    const auto status = settings_.dkim.status;
    if (is_replication_error(settings_.verification)) {
      const auto error =
          settings_.verification.error_type + (status ? " (status " + worded(settings_, *status) + ")" : "");
      report_replica(error, status == Status::success ? Severity::warning
                            : open_                   ? Severity::unknown
                                                      : Severity::error);
      return;
    }
    // The state of the parent becomes that of its replicas; a fresh one of their own has the last word.
    const bool told = status && !settings_.aged;
    const auto* parent = told ? nullptr : replica_parent(key_owner(world_.account, given_), world_.account);
    if (!parent) return;
    std::string problem;
    if (parent->dkim.is_external() || parent->dkim.is_replica()) {
      problem = "that one is no Easy DKIM of its own, but " + parent->dkim.origin;
    } else if (!parent->dkim.unread_state.empty()) {
      problem = "of that one SES says " + not_known(parent->dkim.unread_state);
    } else if (parent->dkim.status.value_or(Status::success) != Status::success) {
      problem = "that one is " + worded(*parent, *parent->dkim.status);
    }
    if (problem.empty()) return;
    report_replica(problem, Severity::unknown);
    not_known_because("DKIM of " + settings_.name + " follows that of " + parent->region + ", and " + problem);
  }
  void report_replica(const std::string& error, Severity severity) {
    const auto* parent = replica_parent(settings_, world_.account);
    state_.deeper.push_back(
        make_finding(Code::deed_replica, severity,
                     {{"domain", domain_},
                      {"region", settings_.region},
                      {"parent", parent                        ? parent->region
                                 : settings_.dkim.is_replica() ? parent_region(settings_.dkim.origin)
                                                               : "another region"},
                      {"error", error}}));
  }

  void read_status(Status status) {
    if (was_revoked(status)) {
      add(state_.deeper, Code::dkim_revoked,
          {{"has", "has"},
           {"domain", domain_},
           {"evidence", "status " + worded(settings_, status)},
           {"serve", "no longer serve"},
           {"seen", what_ses_saw(settings_.verification)}});
    } else if (is_lost(status)) {
      report_lost(status);
    } else if (status == Status::failed) {
      add(state_.outcome, Code::dkim_failed,
          {{"domain", domain_},
           {"status", worded(settings_, status)},
           {"effect", effect()},
           {"seen", what_ses_saw(settings_.verification)}});
    } else {
      report_waiting(status);
    }
  }

  void report_waiting(Status status) {
    if (switched())
      add(state_.deeper, Code::dkim_switching,
          {{"domain", domain_},
           {"change", "from " + settings_.former->origin + " to " + settings_.dkim.origin + ", seen " +
                          timestamp(settings_.former->until)},
           {"effect", effect()}});
    if (status == Status::pending)
      add(state_.outcome, Code::dkim_pending,
          {{"domain", domain_},
           {"waits", waits_too_long() ? "may no longer look" : "still waits"},
           {"status", worded(settings_, status) + age()},
           {"effect", effect()},
           {"seen", what_ses_saw(settings_.verification)}});
  }

  // ", 31 of 72 h"; "" when it is not known since when SES looks for the records.
  std::string age() const {
    const auto age = seconds_waited();
    if (!age) return "";
    const auto hours = std::to_string(*age / kHour);
    return *age <= kSearch ? ", " + hours + " of 72 h"
                           : ", for " + hours + " h: SES gives up after 72, and the set-up must then be restarted";
  }
  bool waits_too_long() const { return seconds_waited().value_or(0) > kSearch; }
  std::optional<std::int64_t> seconds_waited() const {
    const auto seconds = [&](const std::optional<std::int64_t>& start) {
      return start && *start <= world_.now ? std::optional(world_.now - *start) : std::nullopt;
    };
    auto age = seconds(settings_.dkim.last_key_generation);
    // Keys made long before belong to an earlier search.
    if (!age || *age > kSearch)
      if (const auto seen = seconds(settings_.status_since)) age = seen;
    return age;
  }

  // The method or the tokens changed after SES last confirmed the records: it is looking for others now.
  bool set_up_anew() const {
    return settings_.former && settings_.former->until >= settings_.verification.last_success.value_or(0);
  }

  bool switched() const { return set_up_anew() && settings_.former->origin != settings_.dkim.origin; }

  // SES confirmed the records lately, or cannot just now.
  bool is_lost(Status status) const {
    if (status == Status::temporary_failure) return true;
    if (set_up_anew() || !settings_.verification.last_success) return false;
    auto last = *settings_.verification.last_success;
    if (status == Status::pending) last = std::max(last, settings_.status_since.value_or(last));
    return world_.now - last < kGrace;
  }

  void report_lost(Status status) {
    const auto since = settings_.status_since ? settings_.status_since : settings_.verification.last_success;
    std::string when, end;
    if (since) {
      when = ", since " + timestamp(*since);
      end =
          (*since + kGrace >= world_.now ? " (until about " : " (they ended about ") + timestamp(*since + kGrace) + ")";
    }
    add(state_.outcome, Code::dkim_lost,
        {{"can", "can"},
         {"domain", domain_},
         {"evidence", "status " + worded(settings_, status) + when},
         {"effect", "treat mail as unsigned"},
         {"seen", what_ses_saw(settings_.verification)},
         {"end", end}});
  }

  // SES once confirmed the set-up and then let it go.
  bool was_revoked(Status status) const {
    if ((status != Status::failed && status != Status::not_started) || switched()) return false;
    if (settings_.verification.last_success) return !is_lost(status);
    return status == Status::not_started && (own_records_stand() || former_records_stand());
  }
  // Nobody publishes tokens that SES never gave. Those of an address or a replica are its domain's or its parent's.
  bool own_records_stand() const {
    return !given_.dkim.tokens.empty() && !given_.is_address() && !given_.dkim.is_replica() && records_.right();
  }
  bool former_records_stand() const {
    if (!settings_.former || given_.is_address()) return false;
    auto before = settings_;
    before.dkim.origin = settings_.former->origin;
    const auto zone = before.dkim.is_external() ? "" : signing_zone(before, world_.account);
    return look_up_keys(world_.resolver, world_.deadline, domain_, settings_.former->tokens, zone).right();
  }

  const Surroundings& world_;
  const Identity& given_;
  const Identity& settings_;
  const KeyRecords& records_;
  const std::string domain_;
  const bool open_;  // SES's word may be outdated, and that matters
  DkimState state_;
};

}  // namespace

std::string what_ses_saw(const VerificationInfo& verification) {
  if (verification.error_type.empty() && verification.primary_name_server.empty()) return "";
  auto text = "; SES saw " + (verification.error_type.empty() ? "an answer" : verification.error_type);
  for (const auto& [type, words] : kErrorTypes)
    if (verification.error_type == type) text += " (" + std::string(words) + ")";
  if (!verification.primary_name_server.empty()) {
    text += ", zone of " + verification.primary_name_server;
    if (verification.soa_serial != 0) text += " with serial " + std::to_string(verification.soa_serial);
  }
  if (verification.last_checked) text += ", at " + timestamp(*verification.last_checked);
  return text;
}

std::string hedge(const Identity& identity) {
  if (!identity.aged) return "";
  return (identity.as_of ? ", as of " + timestamp(*identity.as_of) : std::string(", when last told")) +
         ", which may have changed";
}

std::string worded(const Identity& identity, Status status) {
  return to_string(status) + hedge(identity);
}

std::string not_known(const std::string& unread) {
  return unread + ", which is not known here";
}

DkimState read_state(const Surroundings& world, const Identity& given, const Identity& settings,
                     const KeyRecords& records, Tri by_dns) {
  return Reading(world, given, settings, records, by_dns).run();
}

}  // namespace sesame::ses

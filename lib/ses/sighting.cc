#include "ses/sighting.h"

#include <algorithm>
#include <cstdlib>

#include "dkim/key.h"
#include "dns/name.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

constexpr std::string_view kAmazon = "amazonses.com";
// SES makes both of its signatures at once.
constexpr std::int64_t kSignedTogether = 60;
// Of signatures that claim to be the author's domain's, the first few are looked at.
constexpr std::size_t kMaxOwn = 4;

const mail::Field* only(std::span<const mail::Field> fields, std::string_view name) {
  const mail::Field* found = nullptr;
  for (const auto& field : fields) {
    if (!mail::is_named(field, name)) continue;
    if (found) return nullptr;
    found = &field;
  }
  return found;
}

// "0100...-000000@email.amazonses.com" of the Message-ID that SES writes: its parts.
std::optional<mail::Mailbox> message_id(std::span<const mail::Field> fields) {
  const auto* field = only(fields, "Message-ID");
  if (!field) return std::nullopt;
  auto text = trim(field->value);
  if (!text.starts_with('<') || !text.ends_with('>')) return std::nullopt;
  return mail::parse_path(text.substr(1, text.size() - 2));
}

bool passes(const dkim::Outcome& outcome) {
  return outcome.result == dkim::Result::pass && !outcome.testing;
}

// The message is not what was signed. What cannot be known, or a key that is not there, is another matter.
bool is_refuted(const dkim::Outcome& outcome) {
  return outcome.result == dkim::Result::fail &&
         (outcome.reason.starts_with("body hash") || outcome.reason.starts_with("header hash"));
}

bool signs_message_id(const dkim::Outcome& outcome) {
  return std::ranges::find(outcome.signed_fields, "message-id") != outcome.signed_fields.end();
}

class Looker {
 public:
  explicit Looker(const Received& mail) : mail_(mail) {}

  std::optional<Sighting> look() {
    if (!mail_.author.usable() || mail_.author.mailboxes.size() != 1) return std::nullopt;
    const bool claims = std::ranges::any_of(
        mail_.fields, [](const mail::Field& field) { return mail::is_named(field, "X-SES-Outgoing"); });
    if (!claims || !find_amazon()) return std::nullopt;
    find_sender();
    for (std::size_t i = 0, looked = 0; i < mail_.dkim.size() && looked < kMaxOwn; ++i)
      if (is_of_author(mail_.dkim[i])) ++looked, take(i);
    conclude();
    return found_;
  }

 private:
  // The signature that passes, else the first.
  bool find_amazon() {
    const auto is_amazons = [](const dkim::Outcome& each) { return each.domain == kAmazon; };
    auto found = std::ranges::find_if(mail_.dkim, [&](const auto& each) { return is_amazons(each) && passes(each); });
    if (found == mail_.dkim.end()) found = std::ranges::find_if(mail_.dkim, is_amazons);
    if (found == mail_.dkim.end()) return false;
    amazon_ = static_cast<std::size_t>(found - mail_.dkim.begin());
    return true;
  }
  const dkim::Outcome& amazon() const { return mail_.dkim[amazon_]; }

  // https://docs.aws.amazon.com/ses/latest/dg/mail-from.html: the local part is SES's id of the message, the domain
  // Amazon's or a custom MAIL FROM.
  void find_sender() {
    const auto sender = mail::parse_path(mail_.envelope.mail_from);
    const auto id = message_id(mail_.fields);
    if (!sender || !id || sender->local != id->local) return;
    if (!mail_.spf || mail_.spf->identity != spf::Identity::mail_from || mail_.spf->result != spf::Result::pass) return;
    const bool may_be_ses = mail_.spf_aligned || dns::is_at_or_below(sender->domain, kAmazon) ||
                            dns::is_at_or_below(sender->domain, mail_.author.domain());
    if (may_be_ses && client_is_amazons()) found_.arrival.mail_from_domain = sender->domain;
  }

  // A custom MAIL FROM domain may allow other hosts as well.
  bool client_is_amazons() const {
    if (!mail_.envelope.client) return false;
    spf::Options options;
    options.deadline = mail_.deadline;
    const std::string amazon(kAmazon);
    return spf::check_mail_from(mail_.resolver, {*mail_.envelope.client, amazon, "message-id@" + amazon}, options)
               .result == spf::Result::pass;
  }

  // SES signs with the domain of the identity: the author's, or one above it.
  bool is_of_author(const dkim::Outcome& outcome) const {
    return outcome.domain != kAmazon && dns::label_count(outcome.domain) > 1 &&
           dns::is_at_or_below(mail_.author.domain(), outcome.domain) && (passes(outcome) || is_refuted(outcome));
  }

  bool is_by_ses(std::size_t place) const {
    const auto& outcome = mail_.dkim[place];
    const auto name = dkim::key_name(outcome.selector, outcome.domain);
    const auto key = mail_.resolver.lookup(name, dns::Type::txt, mail_.deadline);
    if (!key->cnames.empty()) return dns::is_at_or_below(key->cnames.back(), kAmazon);
    if (key->status != dns::Status::ok || place > amazon_) return false;
    if (std::ranges::none_of(outcome.signed_fields, [](const auto& field) { return is_rewritten(field); }))
      return false;
    return outcome.signed_at && amazon().signed_at &&
           std::abs(*outcome.signed_at - *amazon().signed_at) <= kSignedTogether;
  }

  void take(std::size_t place) {
    auto& arrival = found_.arrival;
    const auto& outcome = mail_.dkim[place];
    if (!arrival.signed_domain.empty() || !is_by_ses(place)) return;
    if (passes(outcome)) {
      arrival.signed_domain = outcome.domain;
      arrival.selector = outcome.selector;
    } else if (arrival.broken_domain.empty()) {
      arrival.broken_domain = outcome.domain;
      arrival.broken_reason = outcome.reason;
    }
  }

  void conclude() {
    auto& arrival = found_.arrival;
    using Proof = Sighting::Proof;
    const bool delivered = !arrival.mail_from_domain.empty();
    found_.proof = delivered ? Proof::delivery : passes(amazon()) ? Proof::signature : Proof::none;
    arrival.time = passes(amazon()) ? amazon().signed_at.value_or(mail_.now) : mail_.now;
    arrival.dkim_aligned = mail_.dkim_aligned;
    arrival.spf_aligned = mail_.spf_aligned;
    if (delivered || (passes(amazon()) && signs_message_id(amazon()))) arrival.region = region_of(mail_.fields);
    // A signature that never belonged here says nothing when one that does has passed.
    if (!arrival.signed_domain.empty()) arrival.broken_domain = arrival.broken_reason = "";
  }

  const Received& mail_;
  std::size_t amazon_ = 0;  // place of Amazon's signature
  Sighting found_;
};

}  // namespace

// https://docs.aws.amazon.com/ses/latest/dg/header-fields.html: email.amazonses.com in us-east-1, else
// REGION.amazonses.com.
std::string region_of(std::span<const mail::Field> fields) {
  const auto id = message_id(fields);
  if (!id || dns::parent(id->domain) != kAmazon) return {};
  const auto label = id->domain.substr(0, id->domain.size() - kAmazon.size() - 1);
  return label == "email" ? "us-east-1" : label;
}

std::optional<Sighting> sight(const Received& mail) {
  return Looker(mail).look();
}

}  // namespace sesame::ses

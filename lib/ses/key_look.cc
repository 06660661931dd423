// From the selectors of an identity to what DNS has of them.
#include <algorithm>
#include <array>
#include <optional>

#include "dkim/key.h"
#include "dns/name.h"
#include "ses/answer_memo.h"
#include "ses/key_records.h"
#include "ses/needs.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

using State = Selector::State;

constexpr std::size_t kMaxMemory = 16u << 20;

// Can it verify what SES signs, which is a=rsa-sha256? "" in `why` when it can.
Tri fits(const dkim::Key& key, std::string& why) {
  constexpr unsigned kMinBits = 1024;  // RFC 8301 Section 3.2
  using KeyState = dkim::Key::State;
  if (key.state == KeyState::revoked) why = "revoked (p= is empty)";
  if (key.state == KeyState::empty) why = "empty";
  if (key.state == KeyState::bad) why = key.reason;
  if (key.state != KeyState::ok) return Tri::no;
  if (key.type != "rsa") {
    why = "it is of type " + key.type + ", and SES signs with RSA";
  } else if (key.bits < kMinBits) {
    why = "it has " + std::to_string(key.bits) + " bits, and receivers ask for 1024";
  } else if (!key.hashes.empty() && std::ranges::find(key.hashes, "sha256") == key.hashes.end()) {
    why = "its h= does not allow sha256";
  } else if (!key.for_email) {
    why = "its s= does not allow email";
  } else if (key.testing) {
    // RFC 6376 Section 3.6.1: no better than unsigned, which not every receiver heeds.
    why = "it is in testing (t=y)";
    return Tri::unknown;
  }
  return tri(why.empty());
}

// What the texts at the end of the name say.
void judge_texts(const dns::Answer& answer, Selector& selector) {
  std::size_t fitting = 0, empty = 0;
  bool unfit_for_sure = true;
  for (const auto& text : answer.texts) {
    const auto key = dkim::parse_key(text);
    std::string why;
    const auto fit = fits(key, why);
    if (fit == Tri::yes) {
      ++fitting;
      selector.bits = key.bits;
    }
    if (fit != Tri::no) unfit_for_sure = false;
    // Of Amazon's own records a revoked key is one that is no longer in use.
    const bool revoked = key.state == dkim::Key::State::revoked && !selector.expected.empty();
    if (key.state == dkim::Key::State::empty || revoked) ++empty;
    if (!why.empty()) selector.detail = why;
  }
  selector.state = State::bad_key;
  if (unfit_for_sure) {
    selector.key = Tri::no;
    if (empty == answer.texts.size()) selector.state = State::idle;
  } else if (answer.texts.size() > 1) {
    // RFC 6376 Section 3.6.2.2: of several records a receiver may take any.
    selector.key = Tri::unknown;
    selector.detail = std::to_string(answer.texts.size()) + " TXT records stand at the name";
  } else {
    selector.key = fitting == 1 ? Tri::yes : Tri::unknown;
    if (fitting == 1) selector.state = State::key;
  }
}

// The zone of a CNAME to "TOKEN.ZONE" if that is one of Amazon's; "" otherwise.
std::string amazon_zone(std::string_view target, std::string_view token) {
  constexpr std::array kAmazon = {std::string_view("amazonses.com"), std::string_view("amazonses.eu"),
                                  std::string_view("amazonaws.com"), std::string_view("amazonaws.com.cn"),
                                  std::string_view("amazonaws.eu")};
  const auto zone = dns::parent(target);
  if (zone.empty() || !iequals(target.substr(0, target.size() - zone.size() - 1), token)) return "";
  auto name = lower(zone);
  const auto below = [&](std::string_view top) { return name != top && dns::is_at_or_below(name, top); };
  return std::ranges::any_of(kAmazon, below) ? name : "";
}

// Looks at the selectors of one domain.
class Look {
 public:
  Look(dns::Resolver& resolver, Deadline deadline, std::string_view domain, const std::string& zone)
      : resolver_(resolver), deadline_(deadline), domain_(domain), zone_(zone) {}

  // Whether an absence past its time to live (RFC 8767) counts.
  enum class Stale { proves_nothing, counts };

  Selector at(const std::string& token, Stale stale = Stale::proves_nothing) {
    Selector selector;
    selector.selector = token;
    selector.name = dkim::key_name(token, domain_);
    if (!zone_.empty()) selector.expected = token + "." + zone_;
    const auto answer = ask(selector.name, dns::Type::txt);
    if (stale == Stale::counts ? dns::is_temporary(answer->status) : dns::is_undecided(*answer)) {
      selector.detail = dns::status_text(*answer);
      // A name that is silent would take from the other look-ups what time is left.
      selector.txt_only_fails = dns::is_temporary(answer->status) && answer->status != dns::Status::timeout &&
                                ask(selector.name, dns::Type::cname)->status == dns::Status::ok;
      return selector;
    }
    selector.key = Tri::no;
    if (dns::is_absent(answer->status)) {
      // Where the CNAME is there, Amazon's end holds nothing: a selector that is not in use.
      selector.state = answer->cnames.empty() ? State::missing : State::idle;
    } else {
      judge_texts(*answer, selector);
    }
    if (!zone_.empty()) judge_way(*answer, selector);
    if (selector.state == State::missing) selector.doubled = doubled(selector);
    return selector;
  }

 private:
  dns::AnswerPtr ask(const std::string& name, dns::Type type) { return resolver_.lookup(name, type, deadline_); }

  // Easy DKIM: by a CNAME to SES. The way may lead over other names, if it ends where it should.
  void judge_way(const dns::Answer& answer, Selector& selector) {
    const auto& cnames = answer.cnames;
    if (cnames.empty()) {
      const bool missing = selector.state == State::missing;
      if (!missing || (answer.status == dns::Status::nodata && has_address(selector.name)))
        selector.state = State::proxied;
      return;
    }
    if (std::ranges::any_of(cnames, [&](const auto& to) { return iequals(to, selector.expected); })) return;
    const bool wildcard = wildcard_target() == cnames.front();
    for (const auto& to : cnames)
      if (!wildcard && selector.hosted_in.empty()) selector.hosted_in = amazon_zone(to, selector.selector);
    selector.if_hosted = selector.state;
    selector.state = wildcard ? State::proxied : State::wrong_target;
    selector.found = cnames.front();
  }

  // A proxy answers with addresses in place of the CNAME.
  bool has_address(const std::string& name) {
    return ask(name, dns::Type::a)->status == dns::Status::ok || ask(name, dns::Type::aaaa)->status == dns::Status::ok;
  }

  // Where a label leads that nobody has published; "" when nowhere.
  std::string wildcard_target() {
    const auto answer = ask(dkim::key_name("sesame-asks-for-a-wildcard", domain_), dns::Type::cname);
    return answer->names.empty() ? "" : answer->names.front();
  }

  // The zone entered twice. What answers there by a wildcard is not the record.
  std::string doubled(const Selector& selector) {
    const auto name = selector.name + "." + std::string(domain_);
    const auto answer = ask(name, zone_.empty() ? dns::Type::txt : dns::Type::cname);
    const bool found =
        zone_.empty()
            ? std::ranges::any_of(answer->texts,
                                  [](const auto& text) { return dkim::parse_key(text).state == dkim::Key::State::ok; })
            : std::ranges::find(answer->names, lower(selector.expected)) != answer->names.end();
    return found ? name : "";
  }

  dns::Resolver& resolver_;
  const Deadline deadline_;
  std::string_view domain_;
  const std::string& zone_;
};

// Is it a region's own, that is not the one whose zone was expected?
bool is_of_another_region(std::string_view zone, std::string_view region, std::string_view expected) {
  // The shared zone names no region; a region that has its own does not use it.
  if (zone == "dkim.amazonses.com") return zone != expected;
  for (auto rest = zone; !rest.empty(); rest = dns::parent(rest)) {
    const auto label = rest.substr(0, rest.find('.'));
    if (is_region(label) && label != region) return true;
  }
  return false;
}

// The one zone that all CNAMEs to Amazon name, though another was expected; "" if they differ or no key may be there.
std::string common_zone(const KeyRecords& records) {
  std::string zone;
  bool may_hold_key = records.undecided();
  for (const auto& selector : records.selectors) {
    if (selector.is_as_expected() || (!zone.empty() && !selector.hosted_in.empty() && selector.hosted_in != zone))
      return "";
    if (selector.hosted_in.empty()) continue;
    zone = selector.hosted_in;
    may_hold_key = may_hold_key || selector.key != Tri::no;
  }
  return may_hold_key ? zone : "";
}

bool may_host(std::string_view zone, std::string_view region, std::string_view expected) {
  return !zone.empty() && !is_of_another_region(zone, region, expected);
}

// Takes the zone that the CNAMEs name for the one expected, where it may be.
void settle(KeyRecords& records, std::string_view region, std::string_view expected) {
  const auto zone = common_zone(records);
  if (!may_host(zone, region, expected)) return;
  records.zone_by_region = false;
  for (auto& selector : records.selectors) {
    selector.expected = selector.selector + "." + zone;
    if (selector.hosted_in == zone) selector.state = selector.if_hosted;
  }
}

// How the zone of the targets is told from what the CNAMEs name, where SES did not tell it.
struct Guess {
  bool by_region = false;                       // it did not
  std::optional<std::string_view> region = {};  // of the identity that has the keys; absent: the CNAMEs do not decide
};

Guess guess_for(const Account& account, const Identity& given, const Identity& settings) {
  Guess guess{.by_region = is_zone_by_region(account, given)};
  if (!guess.by_region || settings.dkim.status.value_or(Status::success) != Status::success) return guess;
  const auto* parent = replica_parent(key_owner(account, given), account);
  guess.region = parent ? parent->region : settings.region;
  return guess;
}

KeyRecords look_up_guessing(dns::Resolver& resolver, Deadline deadline, const Identity& settings, const Guess& guess) {
  const auto& expected = settings.dkim.signing_hosted_zone;
  auto records = look_up_keys(resolver, deadline, settings.domain(), settings.dkim.tokens, expected);
  records.zone_by_region = guess.by_region;
  if (guess.region) settle(records, *guess.region, expected);
  return records;
}

// All that the records of some settings are judged by, besides DNS; no other settings have the same text.
std::string text_of(const Identity& settings, const Guess& guess) {
  std::string text;
  const auto add = [&](std::string_view part) { text.append(std::to_string(part.size())).append(":").append(part); };
  add(settings.domain());
  add(settings.dkim.signing_hosted_zone);
  add(guess.region ? "by CNAME" : guess.by_region ? "by region" : "told");
  add(guess.region.value_or(""));
  for (const auto& token : settings.dkim.tokens) add(token);
  return text;
}

std::size_t heap_bytes(const KeyRecords& records) {
  std::size_t sum = records.selectors.capacity() * sizeof(Selector);
  for (const auto& each : records.selectors)
    for (const auto* text :
         {&each.selector, &each.name, &each.expected, &each.detail, &each.found, &each.doubled, &each.hosted_in})
      sum += text->capacity();
  return sum;
}

}  // namespace

KeyRecords look_up_keys(dns::Resolver& resolver, Deadline deadline, std::string_view domain,
                        const std::vector<std::string>& tokens, const std::string& zone) {
  KeyRecords records;
  Look look(resolver, deadline, domain, zone);
  for (const auto& token : tokens) records.selectors.push_back(look.at(token));
  if (std::ranges::find(records.selectors, Tri::yes, &Selector::key) == records.selectors.end()) return records;
  // Where one holds the key the others need not, so that a stale absence at Amazon's end counts against nobody.
  for (auto& selector : records.selectors) {
    if (selector.state != State::undecided) continue;
    auto as_known = look.at(selector.selector, Look::Stale::counts);
    if (as_known.state == State::idle) selector = std::move(as_known);
  }
  return records;
}

std::shared_ptr<const KeyRecords> look_up_keys(const Surroundings& world, const Identity& given,
                                               const Identity& settings) {
  static AnswerMemo<KeyRecords> memo(kMaxMemory, heap_bytes);
  const auto guess = guess_for(world.account, given, settings);
  return memo.get(text_of(settings, guess), world.resolver, world.deadline,
                  [&](dns::Resolver& resolver) { return look_up_guessing(resolver, world.deadline, settings, guess); });
}

KeySight look_at_keys(dns::Resolver& resolver, Deadline deadline, std::string_view domain,
                      const std::vector<std::string>& tokens, const KeyZone& expected) {
  auto records = look_up_keys(resolver, deadline, domain, tokens, expected.zone);
  KeySight sight;
  if (!expected.guessed_for.empty()) settle(records, expected.guessed_for, expected.zone);
  const auto& selectors = records.selectors;
  for (const auto& selector : selectors)
    if (selector.is_as_expected()) sight.zone = dns::parent(selector.expected);
  sight.undecided = records.undecided();
  sight.proxied = records.names(State::proxied);
  sight.none_holds_key = !selectors.empty() && records.count(State::idle) == selectors.size();
  return sight;
}

bool may_lead_to(std::string_view target, std::string_view token, const KeyZone& expected) {
  return may_host(amazon_zone(target, token), expected.guessed_for, expected.zone);
}

}  // namespace sesame::ses

// The DKIM records: the CNAME of each token, and the key behind it.
#include <algorithm>

#include "ses/examiner.h"
#include "ses/observed.h"

namespace sesame::ses {

namespace {

using State = Selector::State;
constexpr const char* kPurpose = "DKIM";

}  // namespace

void Examiner::check_dkim() {
  // Where others are known and this one is not, SES has nothing for it.
  if (!result_.identity && result_.source != Source::none) return;
  Identity settings;
  if (result_.identity) settings = signing_settings(world_.account, *result_.identity);
  const bool told = !settings.dkim.tokens.empty();
  const bool none = !told && settings.dkim.status == Status::not_started && !settings.aged;
  result_.tokens_known = told || none;
  if (!told) {
    const auto domain = result_.identity ? std::string(settings.domain()) : result_.domain;
    RecordCheck check{kPurpose,
                      "TOKEN._domainkey." + domain,
                      dns::Type::cname,
                      "TOKEN.dkim.amazonses.com, for three tokens",
                      none ? "no DKIM set-up in SES, so no tokens" : "the tokens are not known here",
                      none ? RecordVerdict::error : RecordVerdict::unknown,
                      {}};
    if (none && has(Code::only_amazonses_signature)) check.code = Code::only_amazonses_signature;
    add(std::move(check));
    return;
  }
  const auto looked_up = look_up_keys(world_, *result_.identity, settings);
  const auto& records = *looked_up;
  if (result_.history) result_.dkim_clocks = dkim_clocks_of(world_, *result_.identity, *result_.history, records);
  const bool all_idle = records.count(State::idle) == records.selectors.size();
  for (const auto& selector : records.selectors) {
    if (!selector.expected.empty()) check_cname(selector);
    if (selector.expected.empty() || selector.state != State::missing)
      check_key(selector, all_idle ? Idle::all : Idle::some);
  }
  publish_dkim(records);
}

void Examiner::check_cname(const Selector& selector) {
  const auto answer = ask(selector.name, dns::Type::cname);
  RecordCheck check{kPurpose, selector.name, dns::Type::cname, selector.expected, describe(*answer), RecordVerdict::ok,
                    {}};
  const auto wrong = [&](Code code) {
    check.verdict = RecordVerdict::error;
    check.code = code;
  };
  switch (selector.state) {
    case State::missing:
      wrong(Code::dkim_cname_missing);
      if (!selector.doubled.empty()) {
        check.found += "; it stands at " + selector.doubled;
        check.code = Code::dkim_name_doubled;
      }
      break;
    case State::wrong_target:
      wrong(Code::dkim_cname_target);
      break;
    case State::proxied:
      wrong(Code::dkim_cname_proxied);
      if (dns::is_absent(answer->status)) check.found = "another record in place of the CNAME";
      break;
    case State::undecided:
    case State::key:
    case State::idle:
    case State::bad_key:
      // What TXT came by is not shown by an answer to CNAME that failed.
      if (dns::is_undecided(*answer)) check.verdict = RecordVerdict::unknown;
      break;
  }
  add(std::move(check));
}

void Examiner::check_key(const Selector& selector, Idle idle) {
  constexpr unsigned kGoodBits = 2048;
  RecordCheck check{kPurpose, selector.name, dns::Type::txt, "", "", RecordVerdict::ok, {}};
  const auto judge = [&](RecordVerdict verdict, std::optional<Code> code) {
    check.verdict = verdict;
    check.code = code;
  };
  check.found = selector.bits > 0 ? "an RSA key of " + std::to_string(selector.bits) + " bits" : selector.detail;
  switch (selector.state) {
    case State::key:
      if (selector.bits < kGoodBits && has(Code::dkim_key_weak)) judge(RecordVerdict::warning, Code::dkim_key_weak);
      break;
    case State::idle:
      check.found = "no key: the selector is idle";
      idle == Idle::all ? judge(RecordVerdict::error, Code::dkim_no_key) : judge(RecordVerdict::info, std::nullopt);
      break;
    case State::missing:
      check.found = "nothing";
      judge(RecordVerdict::error, Code::dkim_cname_missing);
      break;
    case State::bad_key:
      judge(RecordVerdict::error, Code::dkim_key_bad);
      break;
    case State::undecided:
      ask(selector.name, dns::Type::txt);
      if (selector.txt_only_fails)
        judge(RecordVerdict::error, Code::dkim_txt_servfail);
      else
        judge(RecordVerdict::unknown, std::nullopt);
      break;
    case State::wrong_target:
    case State::proxied:
      if (selector.key == Tri::no) return;  // the CNAME is what is wrong
      if (selector.key == Tri::unknown) judge(RecordVerdict::unknown, std::nullopt);
      break;
  }
  if (selector.expected.empty() || check.verdict == RecordVerdict::error) check.expected = "a key of 2048 bits: p=...";
  add(std::move(check));
}

}  // namespace sesame::ses

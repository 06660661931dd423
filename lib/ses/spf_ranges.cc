// SPF of a domain for every address that SES may send from.
#include <algorithm>
#include <set>
#include <variant>

#include "ses/answer_memo.h"
#include "ses/legs.h"
#include "spf/parse.h"
#include "util/content_cache.h"

namespace sesame::ses {
namespace {

constexpr std::string_view kAmazon = "amazonses.com";
constexpr int kMaxRecords = 10;  // of amazonses.com's record and what it includes
constexpr std::size_t kMaxEvaluations = 400;
constexpr std::size_t kMaxMemory = 8u << 20;

struct Ranges {
  std::vector<Network> networks;
  std::string problem;  // why they are not known; "" when they are
};

// The one SPF record at a name.
Result<spf::Record> record_at(dns::Resolver& resolver, Deadline deadline, const std::string& name) {
  const auto answer = resolver.lookup(name, dns::Type::txt, deadline);
  if (dns::is_undecided(*answer)) return failure("TXT " + name + ": " + dns::status_text(*answer));
  std::vector<std::string_view> records;
  for (const auto& text : answer->texts)
    if (spf::is_spf_record(text)) records.emplace_back(text);
  if (records.size() != 1) return failure(name + " has " + std::to_string(records.size()) + " SPF records");
  auto record = spf::parse_record(records.front());
  if (!record) return failure("the SPF record of " + name + ": " + record.error().message);
  return record;
}

// Takes what one record lists. Names it leads to are appended to `more`; false when it does not list its addresses.
// What a term with another qualifier takes away again is kept: judging more addresses than SES has makes nothing
// definite that is not.
bool collect(const spf::Record& record, std::vector<Network>& networks, std::vector<std::string>& more) {
  using Kind = spf::Mechanism::Kind;
  const auto follow = [&](const spf::MacroString& domain) {
    const bool literal = domain.size() == 1 && std::holds_alternative<std::string>(domain.front());
    if (literal) more.push_back(std::get<std::string>(domain.front()));
    return literal;
  };
  for (const auto& [qualifier, mechanism, written] : record.directives) {
    if (mechanism.kind == Kind::all && qualifier != spf::Result::pass) return true;
    if (qualifier != spf::Result::pass) continue;
    if (mechanism.kind == Kind::ip4 || mechanism.kind == Kind::ip6) {
      networks.push_back(mechanism.network);
    } else if (mechanism.kind != Kind::include || !follow(mechanism.domain)) {
      return false;
    }
  }
  return !record.redirect || follow(*record.redirect);
}

// The names that the first record leads to, as many as are asked for; none where it does not list its addresses.
std::vector<std::string> names_in(std::string_view text) {
  std::vector<Network> networks;
  std::vector<std::string> names;
  const auto record = spf::parse_record(text);
  if (!record || !collect(*record, networks, names)) return {};
  names.resize(std::min<std::size_t>(names.size(), kMaxRecords - 1));
  return names;
}

Ranges ses_ranges(dns::Resolver& resolver, Deadline deadline) {
  Ranges ranges;
  std::vector<std::string> names{std::string(kAmazon)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMaxRecords) return {{}, "the SPF record of amazonses.com leads to too many others"};
    const auto record = record_at(resolver, deadline, names[i]);
    if (!record) return {{}, record.error().message};
    if (!collect(*record, ranges.networks, names))
      return {{}, "the SPF record of " + names[i] + " does not list its addresses"};
  }
  if (ranges.networks.empty()) ranges.problem = "the SPF record of amazonses.com lists no address";
  return ranges;
}

int badness(spf::Result result) {
  switch (result) {
    case spf::Result::pass:
      return 0;
    case spf::Result::neutral:
      return 1;
    case spf::Result::softfail:
      return 2;
    case spf::Result::none:
      return 3;
    case spf::Result::fail:
      return 4;
    case spf::Result::permerror:
      return 5;
    case spf::Result::temperror:
      break;
  }
  return 6;
}

std::size_t heap_bytes(const std::vector<std::string>& texts) {
  std::size_t sum = texts.capacity() * sizeof(std::string);
  for (const auto& text : texts) sum += text.capacity();
  return sum;
}

// Evaluates one domain; the results found, with the reason of the worst.
class RangeEvaluation {
 public:
  RangeEvaluation(dns::Resolver& resolver, Deadline deadline, const std::string& domain)
      : resolver_(resolver), domain_(domain) {
    options_.deadline = deadline;
  }

  // The result is constant between the borders of the networks the client was compared with, so one address behind
  // each border inside the range proves the whole range.
  void judge(const Network& range) {
    std::set<IpAddress> todo{range.first()};
    std::set<IpAddress> done;
    while (!todo.empty() && !gave_up_) {
      const auto address = *todo.begin();
      todo.erase(todo.begin());
      if (!done.insert(address).second) continue;
      for (const auto& network : evaluate(address).compared) {
        if (network.base.family() != range.base.family()) continue;
        const auto behind = network.last().next();
        if (range.contains(network.first()) && !done.contains(network.first())) todo.insert(network.first());
        if (behind && range.contains(*behind) && !done.contains(*behind)) todo.insert(*behind);
      }
    }
  }

  SpfOverRanges outcome() const {
    SpfOverRanges outcome{.worst = worst_, .reason = reason_};
    if (gave_up_ || specific_) {
      outcome.reason = gave_up_ ? "the record tells too many addresses apart"
                                : "the record asks for more than the network of the client";
      outcome.foreseeable = false;
    } else if (all_pass_) {
      outcome.passes = Tri::yes;
      outcome.reason.clear();
    } else if (!any_pass_ && !temporary_) {
      outcome.passes = Tri::no;
    }
    return outcome;
  }

 private:
  spf::Outcome evaluate(const IpAddress& client) {
    if (++evaluations_ > kMaxEvaluations) {
      gave_up_ = true;
      return {};
    }
    // The local part and the HELO name SES will use cannot be known: a record that asks for them stays undecided.
    auto outcome = spf::check_mail_from(resolver_, {client, std::string(kAmazon), "message-id@" + domain_}, options_);
    const bool pass = outcome.result == spf::Result::pass;
    all_pass_ = all_pass_ && pass;
    any_pass_ = any_pass_ || pass;
    temporary_ = temporary_ || outcome.result == spf::Result::temperror;
    specific_ = specific_ || outcome.client_specific || outcome.sender_specific;
    if (worse(outcome.result, worst_) != worst_) {
      worst_ = outcome.result;
      reason_ = !outcome.reason.empty()      ? outcome.reason
                : !outcome.mechanism.empty() ? "\"" + outcome.mechanism + "\" matches " + client.to_string()
                                             : "no mechanism matches " + client.to_string();
    }
    return outcome;
  }

  dns::Resolver& resolver_;
  const std::string& domain_;
  spf::Options options_;
  std::size_t evaluations_ = 0;
  spf::Result worst_ = spf::Result::pass;
  std::string reason_;
  bool all_pass_ = true, any_pass_ = false, temporary_ = false, specific_ = false, gave_up_ = false;
};

SpfOverRanges prove(dns::Resolver& resolver, Deadline deadline, const std::string& domain) {
  const auto ranges = ses_ranges(resolver, deadline);
  if (!ranges.problem.empty()) return {.reason = ranges.problem};
  RangeEvaluation evaluation(resolver, deadline, domain);
  for (const auto& range : ranges.networks) evaluation.judge(range);
  auto outcome = evaluation.outcome();
  if (outcome.passes == Tri::yes) {
    outcome.lacks_all = lacks_all(resolver, deadline, domain);
  } else if (outcome.worst != spf::Result::temperror && outcome.foreseeable) {
    outcome.fault = spf_fault(resolver, deadline, domain, outcome.reason);
  }
  return outcome;
}

}  // namespace

spf::Result worse(spf::Result a, spf::Result b) {
  return badness(b) > badness(a) ? b : a;
}

void prefetch_ranges(dns::Resolver& resolver) {
  resolver.prefetch_then(kAmazon, dns::Type::txt, [](dns::Resolver& then, const dns::Answer& answer) {
    static ContentCache<std::vector<std::string>> memo(1u << 20, heap_bytes);
    const auto text = std::ranges::find_if(answer.texts, spf::is_spf_record);
    if (text == answer.texts.end()) return;
    for (const auto& name : *memo.get(*text, names_in)) then.prefetch(name, dns::Type::txt);
  });
}

SpfOverRanges spf_over_ses_ranges(const Surroundings& world, const std::string& domain) {
  static AnswerMemo<SpfOverRanges> memo(
      kMaxMemory, [](const SpfOverRanges& value) { return value.reason.capacity() + value.fault.capacity(); });
  return *memo.get(domain, world.resolver, world.deadline,
                   [&](dns::Resolver& resolver) { return prove(resolver, world.deadline, domain); });
}

}  // namespace sesame::ses

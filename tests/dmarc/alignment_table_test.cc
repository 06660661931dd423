// Every combination of what SPF and two signatures said, how their domains relate to the author domain, the alignment
// modes, and what is published where, against the rules of RFC 9989 written down a second time: on names only, without
// a resolver, a record or anything else of lib/dmarc. What was worked out by hand for twelve layouts holds the rules.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>
#include <optional>
#include <vector>

#include "dmarc/dmarc.h"
#include "support/fake_resolver.h"

namespace sesame::dmarc {
namespace {

using State = Identifier::State;

constexpr const char* kAuthor = "mail.example.com";
constexpr const char* kOrganization = "example.com";
constexpr const char* kSuffix = "com";

// sibling and across end in the octets of the author domain and of its organization, but not in their labels.
enum Relation { same, child, parent, sibling, across, suffix, unrelated };
constexpr std::array<const char*, 7> kDomains = {"mail.example.com",    "a.mail.example.com", "example.com",
                                                 "notmail.example.com", "notexample.com",     "com",
                                                 "mail.example.net"};

constexpr std::array kStates = {State::pass, State::not_pass, State::temperror, State::permerror};
constexpr std::array kModes = {Mode::relaxed, Mode::strict};
constexpr std::array kVintages = {Vintage::rfc9989, Vintage::rfc7489};
constexpr Tri Y = Tri::yes, N = Tri::no, U = Tri::unknown;

// What _dmarc.NAME says: no record, one with this psd, or no answer.
enum class Said { nothing, u, n, y, silent };
constexpr std::array kSaid = {Said::nothing, Said::u, Said::n, Said::y, Said::silent};
using Layout = std::map<std::string, Said>;

Said said(const Layout& layout, const std::string& name) {
  const auto found = layout.find(name);
  return found == layout.end() ? Said::nothing : found->second;
}

bool is_record(Said what) {
  return what == Said::u || what == Said::n || what == Said::y;
}

std::string above(const std::string& name) {
  const auto dot = name.find('.');
  return dot == std::string::npos ? "" : name.substr(dot + 1);
}

bool is_within(std::string name, const std::string& top) {
  while (!name.empty() && name != top) name = above(name);
  return name == top;
}

// RFC 9989 Section 4.10.2: psd=n is it; below psd=y it is, unless that is the start; otherwise the record nearest to
// the top; without any, the start. Nothing when a name on the way does not answer.
std::optional<std::string> organization_of(const Layout& layout, const std::string& start) {
  std::string highest = start, below = start;
  for (auto name = start; !name.empty(); below = name, name = above(name)) {
    switch (said(layout, name)) {
      case Said::silent:
        return std::nullopt;
      case Said::n:
        return name;
      case Said::y:
        return below;
      case Said::u:
        highest = name;
        break;
      case Said::nothing:
        break;
    }
  }
  return highest;
}

// RFC 9989 Section 4.4: strict is equality, relaxed the same Organizational Domain. That is the name itself or one
// above it, so no answer can align what lies elsewhere.
Tri aligned_by_walk(const Layout& layout, const std::string& domain, Mode mode) {
  if (domain == kAuthor) return Y;
  if (mode == Mode::strict) return N;
  const auto mine = organization_of(layout, kAuthor);
  if (!is_within(domain, mine.value_or(kSuffix))) return N;
  const auto theirs = organization_of(layout, domain);
  return mine && theirs ? tri(*mine == *theirs) : U;
}

// RFC 7489 Section 3.2: what is below example.com is one organization, whatever is published.
Tri aligned_by_list(const std::string& domain, Mode mode) {
  if (domain == kAuthor) return Y;
  return tri(mode == Mode::relaxed && is_within(domain, kOrganization));
}

// The result when nothing has passed and nothing is undecided: fail, or what keeps DMARC from being applied.
// RFC 9989 Section 4.10.1: the author domain's record, the organization's, the public suffix domain's.
Result applied_by_walk(const Layout& layout) {
  if (is_record(said(layout, kAuthor))) return Result::fail;
  const auto organization = organization_of(layout, kAuthor);
  if (!organization) return Result::temperror;
  if (is_record(said(layout, *organization))) return Result::fail;
  return said(layout, above(*organization)) == Said::y ? Result::fail : Result::none;
}

// RFC 7489 Section 6.6.3.
Result applied_by_list(const Layout& layout) {
  for (const auto* name : {kAuthor, kOrganization}) {
    if (said(layout, name) == Said::silent) return Result::temperror;
    if (is_record(said(layout, name))) return Result::fail;
  }
  return Result::none;
}

struct Leg {
  bool present = false;  // false: no such mechanism in the message
  State state = State::not_pass;
  Relation relation = same;
};

std::vector<Leg> every_leg() {
  std::vector<Leg> result(1);
  for (const auto state : kStates)
    for (std::size_t relation = 0; relation < kDomains.size(); ++relation)
      result.push_back({true, state, static_cast<Relation>(relation)});
  return result;
}
const std::vector<Leg> kLegs = every_leg();
constexpr std::size_t kLegCount = 1 + 4 * 7;

std::string shown(const Leg& leg) {
  constexpr std::array<const char*, 4> kWords = {"pass", "not_pass", "temperror", "permerror"};
  return leg.present ? std::string(kWords[static_cast<std::size_t>(leg.state)]) + "@" + kDomains[leg.relation] : "-";
}

std::string shown(const Layout& layout) {
  constexpr std::array<const char*, 5> kWords = {"nothing", "psd=u", "psd=n", "psd=y", "silent"};
  std::string text;
  for (const auto& [name, what] : layout) text += name + ":" + kWords[static_cast<std::size_t>(what)] + " ";
  return text;
}

std::string zone_of(const Layout& layout, Mode aspf, Mode adkim) {
  std::string zone;
  for (const auto& [name, what] : layout) {
    if (what == Said::nothing) continue;
    zone += "_dmarc." + name + " TXT ";
    if (what == Said::silent) {
      zone += "!SERVFAIL\n";
      continue;
    }
    zone += std::string("v=DMARC1; p=reject; aspf=") + to_string(aspf) + "; adkim=" + to_string(adkim);
    zone += what == Said::n ? "; psd=n\n" : what == Said::y ? "; psd=y\n" : "\n";
  }
  return zone;
}

// Holds the evaluator against the rules for one layout, one pair of modes and one standard.
class Table {
 public:
  Table(Layout layout, Mode aspf, Mode adkim, Vintage vintage)
      : layout_(std::move(layout)),
        vintage_(vintage),
        modes_{aspf, adkim},
        resolver_(std::string_view(zone_of(layout_, aspf, adkim))),
        evaluator_(resolver_, vintage, nullptr, Deadline::max()),
        applied_(vintage == Vintage::rfc9989 ? applied_by_walk(layout_) : applied_by_list(layout_)) {
    for (std::size_t mode = 0; mode < 2; ++mode)
      for (std::size_t i = 0; i < kDomains.size(); ++i)
        aligned_[mode][i] = vintage == Vintage::rfc9989 ? aligned_by_walk(layout_, kDomains[i], modes_[mode])
                                                        : aligned_by_list(kDomains[i], modes_[mode]);
  }

  void check(const Leg& spf, const Leg& dkim, const Leg& other) {
    std::vector<Identifier> identifiers;
    if (dkim.present) identifiers.push_back({Identifier::Method::dkim, kDomains[dkim.relation], dkim.state});
    if (spf.present) identifiers.push_back({Identifier::Method::spf, kDomains[spf.relation], spf.state});
    if (other.present) identifiers.push_back({Identifier::Method::dkim, kDomains[other.relation], other.state});
    const auto outcome = evaluate(evaluator_, kAuthor, identifiers);
    ++combinations;
    const auto want = expected(spf, dkim, other);
    const bool applied = applied_ == Result::fail;
    if (outcome.result == want && outcome.spf_aligned == (applied ? passed(spf, 0) : N) &&
        outcome.dkim_aligned == (applied ? either(passed(dkim, 1), passed(other, 1)) : N))
      return;
    ++wrong;
    ADD_FAILURE() << shown(layout_) << to_string(vintage_) << " spf " << shown(spf) << " " << to_string(modes_[0])
                  << " dkim " << shown(dkim) << " and " << shown(other) << " " << to_string(modes_[1]) << ": "
                  << to_string(outcome.result) << ", not " << to_string(want);
  }

  // Alignment asked for by itself, with or without a record that applies.
  void check_alignment() {
    const auto author = evaluator_.discover(kAuthor);
    for (std::size_t mode = 0; mode < 2; ++mode) {
      for (std::size_t i = 0; i < kDomains.size(); ++i) {
        ++combinations;
        const auto got = evaluator_.aligned(author, kDomains[i], modes_[mode]);
        if (got == aligned_[mode][i]) continue;
        ++wrong;
        ADD_FAILURE() << shown(layout_) << to_string(vintage_) << " " << kDomains[i] << " " << to_string(modes_[mode])
                      << ": " << sesame::to_string(got);
      }
    }
  }

  static inline std::size_t combinations = 0, wrong = 0;

 private:
  Tri fits(const Leg& leg, std::size_t method) const { return aligned_[method][leg.relation]; }
  Tri passed(const Leg& leg, std::size_t method) const {
    return leg.present && leg.state == State::pass ? fits(leg, method) : N;
  }
  // RFC 9989 Section 5.3.6: it could have aligned, had it been answered.
  bool undecided(const Leg& leg, std::size_t method) const {
    return leg.present && ((leg.state == State::pass && fits(leg, method) == U) ||
                           (leg.state == State::temperror && fits(leg, method) != N));
  }
  Result expected(const Leg& spf, const Leg& dkim, const Leg& other) const {
    if (applied_ != Result::fail) return applied_;
    if (passed(spf, 0) == Y || passed(dkim, 1) == Y || passed(other, 1) == Y) return Result::pass;
    return undecided(spf, 0) || undecided(dkim, 1) || undecided(other, 1) ? Result::temperror : Result::fail;
  }

  const Layout layout_;
  const Vintage vintage_;
  const std::array<Mode, 2> modes_;
  test::FakeResolver resolver_;
  Evaluator evaluator_;
  const Result applied_;
  std::array<std::array<Tri, kDomains.size()>, 2> aligned_{};
};

template <typename Check>
void with_modes_and_standards(const Layout& layout, const Check& check) {
  for (const auto vintage : kVintages) {
    for (const auto aspf : kModes) {
      for (const auto adkim : kModes) {
        Table table(layout, aspf, adkim, vintage);
        check(table);
      }
    }
  }
}

// What is published, and who aligns with the author domain (relaxed, RFC 9989), worked out by hand.
struct ByHand {
  const char* what;
  Layout layout;
  Result applied;
  std::array<Tri, 7> aligned;  // same, child, parent, sibling, across, suffix, unrelated
};

const ByHand kByHand[] = {
    {"at the organization", {{kOrganization, Said::u}}, Result::fail, {Y, Y, Y, Y, N, N, N}},
    {"at the author only", {{kAuthor, Said::u}}, Result::fail, {Y, Y, N, N, N, N, N}},
    {"at both", {{kAuthor, Said::u}, {kOrganization, Said::u}}, Result::fail, {Y, Y, Y, Y, N, N, N}},
    {"psd=n at the author", {{kAuthor, Said::n}, {kOrganization, Said::u}}, Result::fail, {Y, Y, N, N, N, N, N}},
    {"psd=y at the author", {{kAuthor, Said::y}, {kOrganization, Said::u}}, Result::fail, {Y, N, N, N, N, N, N}},
    {"psd=y at the organization", {{kOrganization, Said::y}}, Result::fail, {Y, Y, N, N, N, N, N}},
    {"psd=n at the organization",
     {{kAuthor, Said::u}, {kOrganization, Said::n}, {kSuffix, Said::u}},
     Result::fail,
     {Y, Y, Y, Y, N, N, N}},
    {"psd=y at the suffix, a record below",
     {{kOrganization, Said::u}, {kSuffix, Said::y}},
     Result::fail,
     {Y, Y, Y, Y, N, N, N}},
    {"a record at the suffix without psd", {{kSuffix, Said::u}}, Result::fail, {Y, Y, Y, Y, Y, Y, N}},
    {"nothing", {}, Result::none, {Y, N, N, N, N, N, N}},
    {"the organization does not answer",
     {{kAuthor, Said::u}, {kOrganization, Said::silent}},
     Result::fail,
     {Y, U, U, U, U, U, N}},
    {"sibling and child say otherwise",
     {{kOrganization, Said::u}, {kDomains[sibling], Said::silent}, {kDomains[child], Said::n}},
     Result::fail,
     {Y, N, Y, U, N, N, N}},
};

TEST(AlignmentTable, TheRulesAgreeWithWhatWasWorkedOutByHand) {
  for (const auto& hand : kByHand) {
    EXPECT_EQ(applied_by_walk(hand.layout), hand.applied) << hand.what;
    for (std::size_t i = 0; i < kDomains.size(); ++i)
      EXPECT_EQ(aligned_by_walk(hand.layout, kDomains[i], Mode::relaxed), hand.aligned[i])
          << hand.what << ": " << kDomains[i];
  }
}

// SPF and two signatures; which of the two stands first changes from one combination to the next.
void check_two_signatures() {
  for (const auto& hand : kByHand) {
    with_modes_and_standards(hand.layout, [](Table& table) {
      for (const auto& spf : kLegs)
        for (std::size_t i = 0; i < kLegCount; ++i)
          for (std::size_t j = i; j < kLegCount; ++j)
            (i + j) % 2 == 0 ? table.check(spf, kLegs[i], kLegs[j]) : table.check(spf, kLegs[j], kLegs[i]);
    });
  }
}

// SPF and one signature, whatever the author domain and the names above it say.
void check_layouts() {
  for (const auto author : kSaid)
    for (const auto organization : kSaid)
      for (const auto top : kSaid)
        with_modes_and_standards({{kAuthor, author}, {kOrganization, organization}, {kSuffix, top}}, [](Table& table) {
          for (const auto& spf : kLegs)
            for (const auto& dkim : kLegs) table.check(spf, dkim, {});
        });
}

// Alignment alone, whatever all names say: also those of the identifiers.
void check_identifiers() {
  constexpr std::array kNames = {kAuthor, kOrganization, kSuffix, kDomains[child], kDomains[sibling], kDomains[across]};
  std::size_t layouts = 1;
  for (std::size_t i = 0; i < kNames.size(); ++i) layouts *= kSaid.size();
  for (std::size_t number = 0; number < layouts; ++number) {
    Layout layout;
    auto rest = number;
    for (const auto* name : kNames) {
      layout[name] = kSaid[rest % kSaid.size()];
      rest /= kSaid.size();
    }
    for (const auto vintage : kVintages) Table(layout, Mode::relaxed, Mode::strict, vintage).check_alignment();
  }
}

TEST(AlignmentTable, EveryCombinationHasItsResult) {
  check_two_signatures();
  check_layouts();
  check_identifiers();
  std::cout << "alignment table: " << Table::combinations << " combinations, " << Table::wrong << " wrong\n";
  const std::size_t two_signatures = std::size(kByHand) * 8 * kLegCount * (kLegCount * (kLegCount + 1) / 2);
  const std::size_t layouts = 125 * 8 * kLegCount * kLegCount;
  EXPECT_EQ(Table::combinations, two_signatures + layouts + 15625 * 2 * 14);
}

}  // namespace
}  // namespace sesame::dmarc

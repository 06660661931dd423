// Every combination of what SPF and DKIM said, how their domains relate to the author domain, the alignment modes, and
// what is published, against an expectation that is written down here and not computed from names.
#include <gtest/gtest.h>

#include <array>
#include <iostream>

#include "dmarc/dmarc.h"
#include "support/fake_resolver.h"

namespace sesame::dmarc {
namespace {

using State = Identifier::State;

constexpr const char* kAuthor = "mail.example.com";

enum Relation { same, parent, child, sibling, lookalike, unrelated };
constexpr std::array<const char*, 6> kDomains = {"mail.example.com", "example.com",         "a.mail.example.com",
                                                 "news.example.com", "notmail.example.com", "mail.example.net"};

// What is published; %s stands for the mode tags.
struct Layout {
  const char* what;
  const char* zone;
  bool record;  // one applies to the author domain, for each vintage
  bool record_7489;
  std::array<Tri, 6> aligned;  // relaxed, by relation, RFC 9989
};

constexpr Tri Y = Tri::yes, N = Tri::no, U = Tri::unknown;
// The lookalike "notmail.example.com" is another name under the same parent: what holds for the sibling holds for it.
const Layout kLayouts[] = {
    {"at the organization", "_dmarc.example.com TXT v=DMARC1; p=reject%s", true, true, {Y, Y, Y, Y, Y, N}},
    {"at the author only", "_dmarc.mail.example.com TXT v=DMARC1; p=reject%s", true, true, {Y, N, Y, N, N, N}},
    {"at both",
     "_dmarc.mail.example.com TXT v=DMARC1; p=reject%s\n_dmarc.example.com TXT v=DMARC1; p=reject%s",
     true,
     true,
     {Y, Y, Y, Y, Y, N}},
    {"psd=n at the author",
     "_dmarc.mail.example.com TXT v=DMARC1; p=reject; psd=n%s\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject%s",
     true,
     true,
     {Y, N, Y, N, N, N}},
    {"psd=y at the author",
     "_dmarc.mail.example.com TXT v=DMARC1; p=reject; psd=y%s\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject%s",
     true,
     true,
     {Y, N, N, N, N, N}},
    {"psd=y at the organization", "_dmarc.example.com TXT v=DMARC1; p=reject; psd=y%s", true, true, {Y, N, Y, N, N, N}},
    {"psd=n at the organization, u at the author",
     "_dmarc.mail.example.com TXT v=DMARC1; p=reject%s\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject; psd=n%s",
     true,
     true,
     {Y, Y, Y, Y, Y, N}},
    {"psd=y at the top, record below",
     "_dmarc.com TXT v=DMARC1; p=none; psd=y\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject%s",
     true,
     true,
     {Y, Y, Y, Y, Y, N}},
    {"psd=y at the top only", "_dmarc.com TXT v=DMARC1; p=reject; psd=y%s", true, false, {Y, Y, Y, Y, Y, N}},
    {"nothing", "", false, false, {Y, N, N, N, N, N}},
    {"organization does not answer",
     "_dmarc.mail.example.com TXT v=DMARC1; p=reject%s\n"
     "_dmarc.example.com TXT !SERVFAIL",
     true,
     true,
     {Y, U, U, U, U, N}},
    {"sibling does not answer",
     "_dmarc.example.com TXT v=DMARC1; p=reject%s\n_dmarc.news.example.com TXT !TIMEOUT",
     true,
     true,
     {Y, Y, Y, U, Y, N}},
};

// RFC 7489: everything under example.com is one organization.
constexpr std::array<Tri, 6> kBySuffix = {Y, Y, Y, Y, Y, N};

constexpr std::array kStates = {State::pass, State::not_pass, State::temperror, State::permerror};
constexpr std::array kModes = {Mode::relaxed, Mode::strict};

struct Leg {
  bool present = false;
  State state = State::not_pass;
  Relation relation = same;
};

std::vector<Leg> legs() {
  std::vector<Leg> result(1);  // said nothing
  for (const auto state : kStates)
    for (int relation = 0; relation < 6; ++relation) result.push_back({true, state, static_cast<Relation>(relation)});
  return result;
}

Tri aligned(const Layout& layout, Vintage vintage, Mode mode, Relation relation) {
  if (mode == Mode::strict) return tri(relation == same);
  return (vintage == Vintage::rfc9989 ? layout.aligned : kBySuffix)[relation];
}

Result expected(const Layout& layout, Vintage vintage, const std::array<Leg, 2>& both_legs,
                const std::array<Mode, 2>& modes) {
  if (!(vintage == Vintage::rfc9989 ? layout.record : layout.record_7489)) return Result::none;
  bool undecided = false;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& leg = both_legs[i];
    if (!leg.present) continue;
    const auto fits = aligned(layout, vintage, modes[i], leg.relation);
    if (leg.state == State::pass && fits == Y) return Result::pass;
    if (leg.state == State::pass && fits == U) undecided = true;
    if (leg.state == State::temperror && fits != N) undecided = true;
  }
  return undecided ? Result::temperror : Result::fail;
}

std::string with_modes(std::string zone, const std::array<Mode, 2>& modes) {
  const auto tags = std::string("; aspf=") + to_string(modes[0]) + "; adkim=" + to_string(modes[1]);
  for (std::size_t at; (at = zone.find("%s")) != std::string::npos;) zone.replace(at, 2, tags);
  return zone;
}

std::string shown(const Leg& leg) {
  constexpr std::array<const char*, 4> kWords = {"pass", "not_pass", "temperror", "permerror"};
  return leg.present ? std::string(kWords[static_cast<std::size_t>(leg.state)]) + "@" + kDomains[leg.relation] : "-";
}

// Returns the number of combinations held against the expectation.
int check_layout(const Layout& layout, Vintage vintage, const std::array<Mode, 2>& modes) {
  test::FakeResolver resolver(with_modes(layout.zone, modes));
  const auto all = legs();
  int size = 0;
  for (const auto& spf : all) {
    for (const auto& dkim : all) {
      std::vector<Identifier> identifiers;
      if (spf.present) identifiers.push_back({Identifier::Method::spf, kDomains[spf.relation], spf.state});
      if (dkim.present) identifiers.push_back({Identifier::Method::dkim, kDomains[dkim.relation], dkim.state});
      Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
      const auto outcome = evaluate(evaluator, kAuthor, identifiers);
      EXPECT_EQ(outcome.result, expected(layout, vintage, {spf, dkim}, modes))
          << layout.what << " " << to_string(vintage) << " spf " << shown(spf) << " " << to_string(modes[0]) << " dkim "
          << shown(dkim) << " " << to_string(modes[1]);
      EXPECT_EQ(outcome.result == Result::pass, outcome.spf_aligned == Y || outcome.dkim_aligned == Y);
      ++size;
    }
  }
  return size;
}

TEST(AlignmentTable, EveryCombinationHasItsResult) {
  int size = 0;
  for (const auto& layout : kLayouts)
    for (const auto vintage : {Vintage::rfc9989, Vintage::rfc7489})
      for (const auto aspf : kModes)
        for (const auto adkim : kModes) size += check_layout(layout, vintage, {aspf, adkim});
  std::cout << "alignment table: " << size << " combinations\n";
  EXPECT_EQ(size, 12 * 2 * 4 * 25 * 25);
}

// Alignment asked for directly answers the same for every relation, with or without a record.
TEST(AlignmentTable, EveryRelationAnswersDirectly) {
  for (const auto& layout : kLayouts) {
    for (const auto mode : kModes) {
      test::FakeResolver resolver(with_modes(layout.zone, {mode, mode}));
      Evaluator evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max());
      const auto author = evaluator.discover(kAuthor);
      for (int i = 0; i < 6; ++i) {
        const auto relation = static_cast<Relation>(i);
        EXPECT_EQ(evaluator.aligned(author, kDomains[relation], mode),
                  aligned(layout, Vintage::rfc9989, mode, relation))
            << layout.what << " " << kDomains[relation] << " " << to_string(mode);
      }
    }
  }
}

}  // namespace
}  // namespace sesame::dmarc

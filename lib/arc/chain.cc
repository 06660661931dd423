#include "arc/chain.h"

#include <algorithm>
#include <array>
#include <optional>

#include "mail/tag_list.h"
#include "util/text.h"

namespace sesame::arc {
namespace {

using mail::TagList;

enum class Kind : std::size_t { results, message, seal };
constexpr std::array<std::string_view, 3> kNames = {"ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"};

std::optional<Kind> kind_of(const mail::Field& field) {
  const auto name = mail::name_of(field);
  if (!istarts_with(name, "ARC-")) return std::nullopt;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (iequals(name, kNames[i])) return static_cast<Kind>(i);
  return std::nullopt;
}

// One field, before it is known whether its set is complete.
struct Member {
  Kind kind = Kind::results;
  std::size_t instance = 0;
  std::size_t position = 0;
  std::optional<TagList> tags;  // not of results
};

// RFC 8617 Section 4.2.1: position = 1*2DIGIT, 1 to 50.
std::optional<std::size_t> instance_number(std::string_view text) {
  const auto number = text.size() <= 2 ? parse_number(text) : std::nullopt;
  if (!number || *number < 1 || *number > kMaxSets) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

// The position behind [CFWS] at `at`, RFC 5322 Section 3.2.2; the end of the text when a comment does not close.
std::size_t skip_cfws(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '(')
      ++depth;
    else if (depth == 0 && !is_space(c))
      return at;
    else if (c == ')')
      --depth;
    else if (c == '\\')
      ++at;
  }
  return text.size();
}

struct Instance {
  std::size_t number = 0;
  std::string_view rest;  // behind the ";"
};

// RFC 8617 Section 4.2.1: instance = [CFWS] "i" [CFWS] "=" [CFWS] position [CFWS] ";", with which a field begins.
std::optional<Instance> leading_instance(std::string_view value) {
  std::size_t at = 0;
  const auto take = [&](char c) {
    at = skip_cfws(value, at);
    return at < value.size() && value[at++] == c;
  };
  if (!take('i') || !take('=')) return std::nullopt;
  const auto begin = at = skip_cfws(value, at);
  while (at < value.size() && is_digit(value[at])) ++at;
  const auto number = instance_number(value.substr(begin, at - begin));
  if (!number || !take(';')) return std::nullopt;
  return Instance{*number, value.substr(at)};
}

sesame::Result<Member> read_member(Kind kind, std::string_view value, std::size_t position) {
  Member member{kind, 0, position, std::nullopt};
  const std::string name(kNames[static_cast<std::size_t>(kind)]);
  const auto leading = leading_instance(value);
  if (leading) member.instance = leading->number;
  if (kind != Kind::results) {
    if (value.size() > dkim::kMaxSignatureField) return failure(name + " is too long");
    auto tags = TagList::parse(leading ? leading->rest : value);
    if (!tags) return failure(name + ": syntax: " + tags.error().message);
    const auto number = tags->find("i");
    if (leading && number) return failure(name + ": syntax: the tag i= appears twice");
    // Sealers that sort their tags are in use, and the public suite has them: i= may stand elsewhere.
    if (!leading) member.instance = instance_number(number.value_or("")).value_or(0);
    member.tags = std::move(*tags);
  }
  if (member.instance == 0) return failure(name + " has no instance number from 1 to 50");
  return member;
}

// RFC 8617 Section 4.1.2: as a DKIM-Signature, but v= is ignored, From need not be listed, and no seal is.
dkim::MaybeProblem read_message_signature(const TagList& tags, dkim::Signature& signature) {
  if (auto problem = dkim::read_signer(tags, signature)) return problem;
  // Without c= the suites and the sealers in use mean relaxed, the only one they ever write.
  if (auto problem = dkim::read_coverage(tags, "relaxed/relaxed", signature)) return problem;
  if (std::ranges::find(signature.signed_fields, "arc-seal") != signature.signed_fields.end())
    return dkim::syntax_problem("h= lists ARC-Seal");
  return std::nullopt;
}

// RFC 8617 Section 4.1.3: the fields covered are fixed, so h= may not be there; they are canonicalised relaxed.
dkim::MaybeProblem read_seal(const TagList& tags, Set& set) {
  set.cv = std::string(tags.find("cv").value_or(""));
  set.seal.header = dkim::Canonicalization::relaxed;
  if (tags.find("h")) return dkim::syntax_problem("there is an h=");
  if (set.cv != "none" && set.cv != "pass" && set.cv != "fail")
    return dkim::syntax_problem("cv= is not none, pass or fail");
  return dkim::read_signer(tags, set.seal);
}

void fill(Set& set, const Member& member) {
  switch (member.kind) {
    case Kind::results:
      set.results_field = member.position;
      break;
    case Kind::message:
      set.message_field = member.position;
      set.message_problem = read_message_signature(*member.tags, set.message);
      break;
    case Kind::seal:
      set.seal_field = member.position;
      set.seal_problem = read_seal(*member.tags, set);
      break;
  }
}

}  // namespace

bool is_arc_field(const mail::Field& field) {
  return kind_of(field).has_value();
}

std::string_view results_payload(std::string_view field_value) {
  const auto leading = leading_instance(field_value);
  return leading ? trim(leading->rest) : std::string_view();
}

sesame::Result<std::vector<Set>> collect_sets(std::span<const mail::Field> fields) {
  std::array<std::array<bool, kNames.size()>, kMaxSets> present{};
  std::vector<Set> sets;
  for (std::size_t position = 0; position < fields.size(); ++position) {
    const auto kind = kind_of(fields[position]);
    if (!kind) continue;
    const auto member = read_member(*kind, fields[position].value, position);
    if (!member) return failure(member.error().message);
    auto& seen = present[member->instance - 1][static_cast<std::size_t>(*kind)];
    if (seen)
      return failure("two " + std::string(kNames[static_cast<std::size_t>(*kind)]) +
                     " fields have i=" + std::to_string(member->instance));
    seen = true;
    sets.resize(std::max(sets.size(), member->instance));
    fill(sets[member->instance - 1], *member);
  }
  // RFC 8617 Section 5.2 step 3: one of each, and no gap.
  for (std::size_t i = 0; i < sets.size(); ++i)
    for (std::size_t kind = 0; kind < kNames.size(); ++kind)
      if (!present[i][kind]) return failure("no " + std::string(kNames[kind]) + " has i=" + std::to_string(i + 1));
  return sets;
}

}  // namespace sesame::arc

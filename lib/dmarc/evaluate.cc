// RFC 9989 Sections 5.3.5 and 5.3.6: does any identifier that passed align?
#include <fmt/format.h>

#include "dmarc/dmarc.h"
#include "util/text.h"

namespace sesame::dmarc {
namespace {

constexpr std::size_t kReasons = 4;  // identifiers explained

const char* word(Identifier::Method method) {
  return method == Identifier::Method::spf ? "SPF" : "DKIM";
}

// Tries the identifiers of one message against one author domain.
class Alignment {
 public:
  Alignment(Evaluator& evaluator, Outcome& outcome) : evaluator_(evaluator), outcome_(outcome) {}

  void passed(const Identifier& identifier) {
    auto& so_far = identifier.method == Identifier::Method::spf ? outcome_.spf_aligned : outcome_.dkim_aligned;
    if (so_far == Tri::yes) return;
    const auto aligned = align(identifier);
    so_far = either(so_far, aligned);
    if (aligned == Tri::yes && outcome_.aligned_domain.empty()) outcome_.aligned_domain = identifier.domain;
    if (aligned == Tri::unknown) note(undecided_, identifier, "alignment is undecided");
    if (aligned == Tri::no) note(not_aligned_, identifier, "is not aligned");
  }

  // RFC 9989 Section 5.3.6: what did not get its answers might have passed, and counts where that would have helped.
  void not_answered(const Identifier& identifier) {
    if (align(identifier) != Tri::no) note(undecided_, identifier, "is undecided (temperror)");
  }

  Result result() const {
    if (outcome_.dkim_aligned == Tri::yes || outcome_.spf_aligned == Tri::yes) return Result::pass;
    return undecided_.empty() ? Result::fail : Result::temperror;
  }

  std::string reason() const {
    if (!undecided_.empty()) return text_of(undecided_);
    return not_aligned_.empty() ? "neither SPF nor DKIM passed" : text_of(not_aligned_);
  }

 private:
  struct Note {
    const Identifier* identifier;
    const char* what;
  };
  using Notes = std::vector<Note>;

  Tri align(const Identifier& identifier) {
    const auto& record = outcome_.discovery.record;
    const auto mode = identifier.method == Identifier::Method::spf ? record.aspf : record.adkim;
    return evaluator_.aligned(outcome_.discovery, identifier.domain, mode);
  }

  static void note(Notes& notes, const Identifier& identifier, const char* what) {
    if (notes.size() < kReasons) notes.push_back({&identifier, what});
  }
  static std::string text_of(const Notes& notes) {
    std::string text;
    for (const auto& [identifier, what] : notes)
      text += fmt::format("{}{} domain {} {}", text.empty() ? "" : "; ", word(identifier->method),
                          printable(identifier->domain), what);
    return text;
  }

  Evaluator& evaluator_;
  Outcome& outcome_;
  Notes undecided_, not_aligned_;
};

Result judge(Evaluator& evaluator, const std::vector<Identifier>& identifiers, Outcome& outcome) {
  Alignment alignment(evaluator, outcome);
  for (const auto& identifier : identifiers)
    if (identifier.state == Identifier::State::pass) alignment.passed(identifier);
  if (alignment.result() == Result::pass) return Result::pass;
  // A permanent error of SPF or DKIM is a definite "did not pass".
  for (const auto& identifier : identifiers)
    if (identifier.state == Identifier::State::temperror) alignment.not_answered(identifier);
  outcome.reason = alignment.reason();
  // That the record nearest to the author domain did not count is for its owner to know.
  const auto& problems = outcome.discovery.problems;
  if (!problems.empty()) outcome.reason += "; " + problems.front();
  return alignment.result();
}

}  // namespace

Outcome evaluate(Evaluator& evaluator, const std::string& author_domain, const std::vector<Identifier>& identifiers) {
  Outcome outcome;
  outcome.discovery = evaluator.discover(author_domain);
  outcome.reason = outcome.discovery.reason;
  switch (outcome.discovery.state) {
    case Discovery::State::absent:
      outcome.result = Result::none;
      if (outcome.reason.empty()) outcome.reason = "no DMARC record";
      break;
    case Discovery::State::temperror:
      outcome.result = Result::temperror;
      break;
    case Discovery::State::permerror:
      outcome.result = Result::permerror;
      break;
    case Discovery::State::found:
      outcome.result = judge(evaluator, identifiers, outcome);
      break;
  }
  return outcome;
}

}  // namespace sesame::dmarc

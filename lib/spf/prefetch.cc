// Look-ups ahead of a check. The check itself is rehearsed with the answers there are, up to the first that is missing,
// and again once that is there: so it is asked what the check will ask, in its order, and nothing else.
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "dns/name.h"
#include "spf/spf.h"

namespace sesame::spf {
namespace {

// Answers one check may have ahead. Honest records need fewer; what others want is asked when it is their turn.
constexpr std::size_t kMaxAhead = 20;
// And what they may take together. They are kept until the last one comes, which its sender makes as late as he likes,
// and messages may be begun and dropped meanwhile in any number.
constexpr std::size_t kMaxOctets = 16384;

std::size_t octets_of(const dns::Answer& answer) {
  auto sum = answer.addresses.size() * sizeof(IpAddress);
  for (const auto* texts : {&answer.cnames, &answer.texts, &answer.names})
    for (const auto& text : *texts) sum += sizeof text + text.size();
  for (const auto& exchange : answer.exchanges) sum += sizeof exchange + exchange.host.size();
  return sum;
}

// What the rehearsals of one check share. It needs nothing of the message. Thread-safe.
class Plan {
 public:
  Plan(Identity identity, const Query& query, const Options& options)
      : identity_(identity), query_(query), options_(options) {}

  Identity identity() const { return identity_; }
  const Query& query() const { return query_; }
  const Options& options() const { return options_; }

  // Null when it is not there.
  dns::AnswerPtr find(std::string_view name, dns::Type type) const {
    const std::lock_guard lock(mutex_);
    return find_locked(name, type);
  }

  // The same, and a rehearsal that ends for want of it is to be taken up again when it comes.
  dns::AnswerPtr find_or_wait(std::string_view name, dns::Type type) {
    const std::lock_guard lock(mutex_);
    auto answer = find_locked(name, type);
    waiting_ = !answer;
    return answer;
  }

  // Does somebody wait for it? Nobody does any more when there is no room for it.
  bool keep(const dns::Answer& answer) {
    const std::lock_guard lock(mutex_);
    octets_ += octets_of(answer);
    if (octets_ > kMaxOctets) return false;
    answers_.push_back(std::make_shared<const dns::Answer>(answer));
    return std::exchange(waiting_, false) && answers_.size() < kMaxAhead;
  }

 private:
  dns::AnswerPtr find_locked(std::string_view name, dns::Type type) const {
    for (const auto& answer : answers_)
      if (answer->type == type && answer->name == name) return answer;
    return nullptr;
  }

  const Identity identity_;
  const Query query_;
  const Options options_;
  mutable std::mutex mutex_;
  std::list<dns::AnswerPtr> answers_;
  std::size_t octets_ = 0;
  bool waiting_ = false;
};
using PlanPtr = std::shared_ptr<Plan>;

void rehearse(dns::Resolver& resolver, const PlanPtr& plan);

// Gives a check the answers there are, and asks for the first that is not there. With that the time of the check is up.
class Rehearsal final : public dns::Resolver, public Clock {
 public:
  Rehearsal(dns::Resolver& resolver, const PlanPtr& plan) : resolver_(resolver), plan_(plan) {}

  dns::AnswerPtr lookup(std::string_view asked, dns::Type type, Deadline) override {
    const auto name = dns::canonical(asked);
    if (!name) return bare(asked, type, dns::Status::nxdomain);
    if (auto known = plan_->find(*name, type)) return known;
    resolver_.prefetch_then(*name, type, [plan = plan_](dns::Resolver& behind, const dns::Answer& answer) {
      if (plan->keep(answer)) rehearse(behind, plan);
    });
    if (auto known = plan_->find_or_wait(*name, type)) return known;
    time_is_up_ = true;
    return bare(asked, type, dns::Status::timeout);
  }
  void prefetch(std::string_view, dns::Type) override {}

  std::chrono::steady_clock::time_point steady_now() const override {
    return time_is_up_ ? Deadline::max() : Deadline();
  }
  std::int64_t unix_now() const override { return system_clock().unix_now(); }

 private:
  static dns::AnswerPtr bare(std::string_view name, dns::Type type, dns::Status status) {
    return std::make_shared<const dns::Answer>(dns::bare_answer(std::string(name), type, status));
  }

  dns::Resolver& resolver_;
  const PlanPtr& plan_;
  bool time_is_up_ = false;
};

void rehearse(dns::Resolver& resolver, const PlanPtr& plan) {
  Rehearsal rehearsal(resolver, plan);
  auto options = plan->options();
  options.clock = &rehearsal;
  options.deadline = Deadline::max();
  if (plan->identity() == Identity::helo) {
    check_helo(rehearsal, plan->query(), options);
  } else {
    check_mail_from(rehearsal, plan->query(), options);
  }
}

}  // namespace

void prefetch(dns::Resolver& resolver, Identity identity, const Query& query, const Options& options) {
  rehearse(resolver, std::make_shared<Plan>(identity, query, options));
}

}  // namespace sesame::spf

#include "support/fake_resolver.h"

#include "dns/name.h"

namespace sesame::test {
namespace {

constexpr std::uint32_t kTtl = 300;
constexpr int kMaxCnames = 12;

dns::Status status_of(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::servfail:
    case Fault::Kind::bogus: return dns::Status::servfail;
    case Fault::Kind::refused: return dns::Status::refused;
    case Fault::Kind::formerr: return dns::Status::formerr;
    case Fault::Kind::notimp: return dns::Status::notimp;
    case Fault::Kind::nxdomain: return dns::Status::nxdomain;
    case Fault::Kind::nodata: return dns::Status::nodata;
    case Fault::Kind::timeout: return dns::Status::timeout;
    default: return dns::Status::ok;
  }
}

}  // namespace

dns::AnswerPtr FakeResolver::lookup(std::string_view name, dns::Type type, Deadline deadline) {
  return find(name, type, deadline, Count::yes);
}

void FakeResolver::prefetch_then(std::string_view name, dns::Type type, Then then) {
  const auto answer = find(name, type, Deadline::max(), Count::no);
  if (!dns::is_temporary(answer->status)) then(*this, *answer);
}

dns::AnswerPtr FakeResolver::find(std::string_view asked_name, dns::Type type, Deadline deadline, Count count) {
  auto answer = std::make_shared<dns::Answer>();
  answer->type = type;
  answer->ttl = kTtl;
  answer->received = std::chrono::steady_clock::now();
  const auto name = dns::canonical(asked_name);
  if (!name) {
    answer->status = dns::Status::nxdomain;
    return answer;
  }
  answer->name = *name;
  const std::lock_guard lock(mutex_);
  if (count == Count::yes) asked_.push_back(std::string(dns::to_string(type)) + " " + *name);
  std::string at = *name;
  for (int links = 0;; ++links) {
    if (links > kMaxCnames) {
      answer->status = dns::Status::cname_limit;
      return answer;
    }
    const auto* set = zone_.find(at, type);
    const Fault* fault = set && set->fault.kind != Fault::Kind::none ? &set->fault : zone_.name_fault(at);
    auto& questions = questions_[{at, type}];
    const int question = count == Count::yes ? ++questions : questions + 1;
    if (fault && (fault->first < 0 || question <= fault->first)) {
      auto status = status_of(fault->kind);
      if (fault->kind == Fault::Kind::slow &&
          std::chrono::steady_clock::now() + std::chrono::milliseconds(fault->milliseconds) > deadline)
        status = dns::Status::timeout;
      if (status != dns::Status::ok) {
        answer->status = status;
        return answer;
      }
    }
    const auto* alias = type == dns::Type::cname ? nullptr : zone_.find(at, dns::Type::cname);
    if (alias && !alias->names.empty()) {
      at = alias->names.front();
      answer->cnames.push_back(at);
      continue;
    }
    if (set) {
      for (const auto& strings : set->texts) {
        std::string text;
        for (const auto& part : strings) text += part;
        answer->texts.push_back(text);
      }
      answer->addresses = set->addresses;
      answer->exchanges = set->exchanges;
      answer->names = set->names;
    }
    const bool any = set && (!set->texts.empty() || !set->addresses.empty() || !set->exchanges.empty() ||
                             !set->names.empty());
    answer->status = any ? dns::Status::ok : zone_.exists(at) ? dns::Status::nodata : dns::Status::nxdomain;
    return answer;
  }
}

std::vector<std::string> FakeResolver::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void FakeResolver::forget_asked() {
  const std::lock_guard lock(mutex_);
  asked_.clear();
}

}  // namespace sesame::test

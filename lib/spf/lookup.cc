#include "spf/lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "dns/name.h"
#include "mail/address.h"
#include "spf/map_dns.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

dns::AnswerPtr unanswered(const std::string& name, dns::Type type) {
  auto answer = std::make_shared<dns::Answer>();
  answer->status = dns::Status::timeout;
  answer->name = name;
  answer->type = type;
  return answer;
}

// RFC 7208 Section 7.3: for IPv6 dots between the nibbles, so that %{ir} is a name.
std::string dotted(const IpAddress& client) {
  if (client.is_v4()) return client.to_string();
  std::string text;
  for (const auto octet : client.octets()) text += fmt::format("{:X}.{:X}.", octet >> 4, octet & 15);
  text.pop_back();
  return text;
}

// RFC 7208 Section 7.3: the domain itself if it is among the validated names, else one below it, else any.
std::string best_client_name(Context& context, const std::string& domain) {
  const auto& names = client_names(context);
  if (names.empty()) return "unknown";
  if (std::ranges::find(names, domain) != names.end()) return domain;
  const auto below = std::ranges::find_if(names, [&](const auto& name) { return dns::is_at_or_below(name, domain); });
  return below != names.end() ? *below : names.front();
}

bool leads_back(Context& context, const std::string& name) {
  const auto answer = ask(context, name, address_type(context));
  return std::ranges::find(answer->addresses, context.client) != answer->addresses.end();
}

void look_up_client_names(Context& context) {
  // RFC 7208 Section 5.5: a DNS error means no names, here and for the address of each name.
  context.client_ptr = ask(context, reverse_name(context.client), dns::Type::ptr);
  const auto& names = context.client_ptr->names;
  // RFC 7208 Section 4.6.4: those after the first ten are ignored. Their addresses are no void look-ups of the record:
  // whoever owns the client's network chose the names.
  const auto count = std::min<std::size_t>(names.size(), kMaxNames);
  for (std::size_t i = 0; i < count; ++i)
    if (leads_back(context, names[i])) context.client_names.push_back(names[i]);
}

}  // namespace

std::string question(const dns::Answer& answer) {
  return fmt::format("{} {}", dns::to_string(answer.type), printable(answer.name));
}

dns::AnswerPtr ask(Context& context, const std::string& name, dns::Type type) {
  const auto& clock = *context.options.clock;
  const auto began = clock.steady_now();
  if (began >= context.options.deadline) {
    context.out_of_time = true;
    return unanswered(name, type);
  }
  auto answer = context.resolver.lookup(name, type, context.options.deadline);
  const auto ended = clock.steady_now();
  if (ended - began > context.slowest_took) {
    context.slowest_took = ended - began;
    context.slowest = answer;
  }
  if (answer->status == dns::Status::timeout && ended >= context.options.deadline) context.out_of_time = true;
  return answer;
}

dns::Type address_type(const Context& context) {
  return context.client.is_v4() ? dns::Type::a : dns::Type::aaaa;
}

void count_void(Context& context, const dns::AnswerPtr& answer) {
  if (map_dns(*answer) != Result::none) return;
  ++context.void_lookups;
  context.last_void = answer;
}

std::string failure_reason(const Context& context, const dns::Answer& answer) {
  if (context.out_of_time && context.slowest)
    return fmt::format("the time for the check is used up, most of it by {}", question(*context.slowest));
  if (context.out_of_time) return fmt::format("no time is left to look up {}", question(answer));
  return fmt::format("{}: {}", question(answer), dns::status_text(answer));
}

const std::vector<std::string>& client_names(Context& context) {
  context.client_specific = true;
  if (!context.client_ptr) look_up_client_names(context);
  // RFC 7208 Section 4.6.4: for every term that needs the names, although they are looked up once.
  count_void(context, context.client_ptr);
  return context.client_names;
}

std::optional<std::string> macro_value(Context& context, char letter, const std::string& domain) {
  switch (letter) {
    case 's':
    case 'l':
      context.sender_specific = true;
      // RFC 8616 Section 4: a term with these matches nothing when the local part is not ASCII.
      if (!is_ascii(context.local_part)) return std::nullopt;
      return letter == 'l' ? std::string(context.local_part)
                           : fmt::format("{}@{}", context.local_part, context.sender_domain);
    case 'o':
      return std::string(context.sender_domain);
    case 'd':
      return domain;
    case 'i':
      context.client_specific = true;
      return dotted(context.client);
    case 'p':
      return best_client_name(context, domain);
    case 'v':
      return context.client.is_v4() ? "in-addr" : "ip6";
    case 'h':
      context.sender_specific = true;
      // RFC 8616 Section 4.
      if (is_ascii(context.helo)) return std::string(context.helo);
      return mail::to_ascii_domain(context.helo).value_or(std::string(context.helo));
    case 'c':
      return context.client.to_string();
    case 'r':
      return context.options.receiver;
    case 't':
      return std::to_string(context.options.now.value_or(context.options.clock->unix_now()));
    default:
      return std::nullopt;
  }
}

}  // namespace sesame::spf

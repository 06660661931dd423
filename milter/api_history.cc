#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "history/trouble.h"
#include "milter/api_parts.h"
#include "util/text.h"

namespace sesame::milter::api {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::size_t kDomains = 200;
constexpr std::size_t kTroubles = 20;
constexpr std::int64_t kMostMessages = 200;
constexpr std::int64_t kUsualMessages = 25;
constexpr std::size_t kMostStories = 20;
constexpr std::size_t kMaxSearch = 200;
constexpr std::size_t kMaxQueueId = 128;

Json tally_value(const history::Tally& tally) {
  return {{"messages", tally.messages},
          {"both", tally.both},
          {"dkim", tally.dkim},
          {"spf", tally.spf},
          {"none", tally.none},
          {"unknown", tally.unknown},
          {"pass", tally.pass},
          {"fail", tally.fail},
          {"refused", tally.refused},
          {"undecided", tally.undecided},
          {"no_policy", tally.no_policy},
          {"observed", tally.observed},
          {"tagged", tally.tagged},
          {"held", tally.held},
          {"rejected", tally.rejected},
          {"deferred", tally.deferred},
          {"hit", tally.hit}};
}

void add(history::Tally& sum, const history::Tally& more) {
  using Tally = history::Tally;
  for (const auto member :
       {&Tally::messages, &Tally::both, &Tally::dkim, &Tally::spf, &Tally::none, &Tally::unknown, &Tally::pass,
        &Tally::fail, &Tally::refused, &Tally::undecided, &Tally::no_policy, &Tally::observed, &Tally::tagged,
        &Tally::held, &Tally::rejected, &Tally::deferred, &Tally::hit})
    sum.*member += more.*member;
}

Refusal refusal(const Error& error) {
  return {502, "The history cannot be read: " + printable(error.message, 400) + "."};
}

Answer<history::Scope> scope_of(const Query& query, const Period& period, std::int64_t now) {
  history::Scope scope;
  scope.since = now - period.seconds;
  scope.until = now + kHour;  // the hour that there is, too
  auto direction = direction_of(query);
  if (!direction) return tl::unexpected(direction.error());
  auto domain = domain_of(query);
  if (!domain) return tl::unexpected(domain.error());
  scope.direction = *std::move(direction);
  scope.from_domain = *std::move(domain);
  return scope;
}

// Hours put together to steps that begin where days and their quarters do, in UTC.
Json series_value(const std::vector<history::Slot>& hours, std::int64_t step) {
  auto list = Json::array();
  history::Slot sum;
  const auto finish = [&] {
    auto value = tally_value(sum.tally);
    value["begin"] = sum.begin;
    list.push_back(std::move(value));
  };
  for (const auto& hour : hours) {
    const auto begin = hour.begin - hour.begin % step;
    if (begin != sum.begin) {
      if (sum.begin != 0) finish();
      sum = {begin, {}};
    }
    add(sum.tally, hour.tally);
  }
  if (sum.begin != 0) finish();
  return list;
}

Json domain_value(const history::DomainTally& domain) {
  auto value = tally_value(domain.tally);
  value["domain"] = domain.from_domain;
  value["direction"] = domain.direction;
  return value;
}

Json trouble_value(const history::Trouble& trouble) {
  return {
      {"domain", trouble.from_domain}, {"direction", trouble.direction}, {"bad", trouble.bad}, {"time", trouble.time},
      {"queue_id", trouble.queue_id},  {"code", trouble.code},           {"why", trouble.why}};
}

Json row_value(const history::Row& row) {
  return {{"origin", row.origin},
          {"sequence", row.sequence},
          {"time", row.time},
          {"host", row.host},
          {"queue_id", row.queue_id},
          {"direction", row.direction},
          {"from_domain", row.from_domain},
          {"mail_from", row.mail_from},
          {"message_id", row.message_id},
          {"client", row.client},
          {"verdict", row.verdict},
          {"alignment", history::to_string(row.alignment)},
          {"disposition", row.disposition},
          {"forwarder", row.forwarder},
          {"action", row.action},
          {"code", row.code},
          {"codes", row.codes},
          {"account", row.account},
          {"region", row.region},
          {"identity", row.identity},
          {"why", row.why},
          {"waited_us", row.waited_us},
          {"took_us", row.took_us}};
}

// The verdicts that `verdict` stands for: "bad" for those that are a fault.
std::vector<std::string> verdicts_of(const std::string& word) {
  if (word.empty()) return {};
  if (word == "bad") return {"fail", "refused"};
  return {word};
}

// "TIME.SEQUENCE.ORIGIN" of the last row of a page.
std::string cursor_of(const history::Row& row) {
  return std::to_string(row.time) + "." + std::to_string(row.sequence) + "." + row.origin;
}

Answer<void> read_cursor(const Query& query, history::Filter& filter) {
  const auto text = text_of(query, "before", 600);
  if (!text) return tl::unexpected(text.error());
  if (text->empty()) return {};
  const auto end_of_time = text->find('.');
  const auto end = end_of_time == std::string::npos ? end_of_time : text->find('.', end_of_time + 1);
  if (end == std::string::npos) return refuse(400, "before: expected what \"next\" said.");
  const auto time = parse_number(text->substr(0, end_of_time));
  const auto sequence = parse_number(text->substr(end_of_time + 1, end - end_of_time - 1));
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!time || !sequence || *time > kMost || *sequence > kMost)
    return refuse(400, "before: expected what \"next\" said.");
  filter.before_time = static_cast<std::int64_t>(*time);
  filter.before_sequence = static_cast<std::int64_t>(*sequence);
  filter.before_origin = text->substr(end + 1);
  return {};
}

Answer<history::Filter> filter_of(const Query& query, std::int64_t now) {
  history::Filter filter;
  const auto period = period_of(query);
  if (!period) return tl::unexpected(period.error());
  auto scope = scope_of(query, *period, now);
  if (!scope) return tl::unexpected(scope.error());
  filter.scope = *std::move(scope);
  const std::pair<const char*, std::string*> words[] = {{"action", &filter.action}, {"code", &filter.code}};
  for (const auto& [name, into] : words) {
    auto word = word_of(query, name);
    if (!word) return tl::unexpected(word.error());
    *into = *std::move(word);
  }
  auto search = text_of(query, "search", kMaxSearch);
  if (!search) return tl::unexpected(search.error());
  filter.search = *std::move(search);
  const auto most = number_of(query, "most", kUsualMessages, kMostMessages);
  if (!most) return tl::unexpected(most.error());
  filter.most = static_cast<std::size_t>(std::max<std::int64_t>(*most, 1));
  if (auto done = read_cursor(query, filter); !done) return tl::unexpected(done.error());
  return filter;
}

}  // namespace

Said overview(history::Reader& reader, const Query& query, std::int64_t now) {
  const auto period = period_of(query);
  if (!period) return tl::unexpected(period.error());
  const auto scope = scope_of(query, *period, now);
  if (!scope) return tl::unexpected(scope.error());
  const auto hours = history::series(reader, *scope, kHour);
  if (!hours) return tl::unexpected(refusal(hours.error()));
  // One more, to see whether there are more.
  const auto domains = history::tallies(reader, *scope, kDomains + 1);
  if (!domains) return tl::unexpected(refusal(domains.error()));
  const auto troubles = history::troubles(reader, *scope, kTroubles + 1);
  if (!troubles) return tl::unexpected(refusal(troubles.error()));
  history::Tally total;
  for (const auto& hour : *hours) add(total, hour.tally);
  Json value{{"since", scope->since},       {"now", now},
             {"period", period->word},      {"step", period->step},
             {"total", tally_value(total)}, {"series", series_value(*hours, period->step)}};
  value["domains"] = Json::array();
  for (std::size_t i = 0; i < std::min(domains->size(), kDomains); ++i)
    value["domains"].push_back(domain_value((*domains)[i]));
  value["more_domains"] = domains->size() > kDomains;
  value["troubles"] = Json::array();
  for (std::size_t i = 0; i < std::min(troubles->size(), kTroubles); ++i)
    value["troubles"].push_back(trouble_value((*troubles)[i]));
  value["more_troubles"] = troubles->size() > kTroubles;
  return value;
}

Said messages(history::Reader& reader, const Query& query, std::int64_t now) {
  auto filter = filter_of(query, now);
  if (!filter) return tl::unexpected(filter.error());
  const auto verdict = word_of(query, "verdict");
  if (!verdict) return tl::unexpected(verdict.error());
  const auto most = filter->most++;
  const auto rows = history::find_among(reader, *filter, verdicts_of(*verdict));
  if (!rows) return tl::unexpected(refusal(rows.error()));
  Json value{{"messages", Json::array()}};
  for (std::size_t i = 0; i < std::min(rows->size(), most); ++i) value["messages"].push_back(row_value((*rows)[i]));
  value["next"] = rows->size() > most ? Json(cursor_of((*rows)[most - 1])) : Json(nullptr);
  return value;
}

Said message(history::Reader& reader, const Query& query) {
  const auto queue_id = text_of(query, "queue_id", kMaxQueueId);
  if (!queue_id) return tl::unexpected(queue_id.error());
  if (queue_id->empty()) return refuse(400, "queue_id: expected the queue id of a message.");
  const auto rows = history::messages_of(reader, *queue_id);
  if (!rows) return tl::unexpected(refusal(rows.error()));
  if (rows->empty()) return refuse(404, "No message with this queue id is kept.");
  Json value{{"messages", Json::array()}};
  for (const auto& row : std::span(*rows).first(std::min(rows->size(), kMostStories))) {
    auto one = row_value(row);
    auto story = Json::parse(row.story, nullptr, false);
    one["story"] = story.is_discarded() ? Json(nullptr) : std::move(story);
    value["messages"].push_back(std::move(one));
  }
  return value;
}

}  // namespace sesame::milter::api

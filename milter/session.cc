#include "milter/session.h"

#include <utility>

#include "inspect/render.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

std::string_view without_brackets(std::string_view path) {
  if (path.starts_with('<')) path.remove_prefix(1);
  if (path.ends_with('>')) path.remove_suffix(1);
  return path;
}

// Milters are given folds as LF; on the wire, and for the hashes of DKIM, they were CRLF.
void append_with_crlf(std::string& text, std::string_view value) {
  for (auto end = value.find('\n'); end != std::string_view::npos; end = value.find('\n')) {
    const bool whole = end > 0 && value[end - 1] == '\r';
    text.append(value.substr(0, end)).append(whole ? "\n" : "\r\n");
    value.remove_prefix(end + 1);
  }
  text.append(value);
}

// RFC 8601 Section 2.7.3, in the words of Sendmail, which Postfix has, too.
mail::Iprev iprev_of(std::string_view resolved) {
  if (resolved == "OK") return mail::Iprev::pass;
  if (resolved == "FORGED") return mail::Iprev::fail;
  if (resolved == "TEMP") return mail::Iprev::temperror;
  if (resolved == "FAIL") return mail::Iprev::permerror;
  return mail::Iprev::none;
}

std::chrono::microseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

Session::Message::Message(Underway& count, Snapshot runtime, policy::Direction direction, mail::Envelope envelope)
    : token(count), inspection(std::move(runtime), direction, std::move(envelope)) {}

Session::Session(Service& service, Peer peer) : service_(service), token_(service.connections), peer_(peer) {}

void Session::connect(Client client) {
  message_.reset();
  runtime_ = service_.runtime.current();
  facts_ = {};
  facts_.client = client.address;
  facts_.iprev = iprev_of(client.resolved);
  if (facts_.iprev == mail::Iprev::pass) facts_.client_name = std::move(client.name);
  facts_.daemon_name = std::move(client.daemon_name);
}

void Session::helo(std::string_view name) {
  facts_.helo = name;
}

Next Session::mail(const std::vector<std::string_view>& arguments, std::string_view auth_user) {
  message_.reset();
  if (!runtime_) runtime_ = service_.runtime.current();  // an MTA that does not tell of connections
  auto envelope = facts_;
  envelope.auth_user = auth_user;
  if (!arguments.empty()) envelope.mail_from = without_brackets(arguments.front());
  const auto direction = inspect::direction_of(runtime_->config, envelope);
  if (direction == policy::Direction::ignored) return Next::accept;
  message_ = std::make_unique<Message>(service_.messages, runtime_, direction, std::move(envelope));
  return Next::proceed;
}

Next Session::recipient(std::string_view path, std::string_view next_hop) {
  if (!message_) return Next::accept;
  auto& envelope = message_->inspection.envelope();
  envelope.recipients.emplace_back(without_brackets(path));
  envelope.add_relay(next_hop);
  return Next::proceed;
}

Next Session::field(std::string_view name, std::string_view value) {
  if (!message_) return Next::accept;
  const bool stripped = peer_.leading_space == Peer::LeadingSpace::stripped;
  if (stripped || value.find('\n') != std::string_view::npos) {
    auto& whole = message_->value;
    whole.assign(stripped ? " " : "");
    append_with_crlf(whole, value);
    value = whole;
  }
  message_->inspection.field({name, value});
  return Next::proceed;
}

Next Session::end_of_header() {
  if (!message_) return Next::accept;
  message_->inspection.end_of_header();
  if (message_->inspection.direction() != policy::Direction::ignored) return Next::proceed;
  message_.reset();
  return Next::accept;
}

Next Session::body(std::string_view chunk) {
  if (!message_) return Next::accept;
  message_->inspection.body(chunk);
  return Next::proceed;
}

Next Session::end_of_message(std::string_view queue_id, MtaEdits& mta) {
  if (!message_) return Next::accept;
  // Out of the session first, so that nothing of it can reach the next message, however this one ends.
  const auto message = std::move(message_);
  const auto ended = std::chrono::steady_clock::now();
  auto& inspection = message->inspection;
  if (!queue_id.empty()) inspection.envelope().queue_id = queue_id;
  auto report = inspection.finish();
  if (report.direction == policy::Direction::ignored) return Next::accept;
  auto decision = policy::decide(report, runtime_->config.rules);
  const auto next = apply(decision, mta);
  // The event says what was done, not what was meant to be.
  if (!next) {
    decision.action = policy::Decision::Action::accept;
    decision.repairs.clear();
    policy::forget_repairs(report);
  }
  tell(report, decision);
  ++service_.judged;
  const Stages stages{report.dns.waited, since(ended), since(message->began)};
  service_.metrics.judged(report, decision, stages);
  const auto id = report.envelope.queue_id;
  service_.recording.record(std::move(report), std::move(decision), stages);
  if (!next) return give_up("edits", next.error().message, id);
  return *next;
}

void Session::tell(const policy::Report& report, const policy::Decision& decision) {
  auto& log = service_.log;
  if (!log.takes(Level::info)) return;
  const bool json = log.format() == config::Log::Format::json;
  log.event(json ? inspect::log_json(report, decision) : inspect::log_text(report, decision));
  if (!log.takes(Level::debug)) return;
  for (const auto& line : json ? inspect::log_json_records(report) : inspect::log_text_records(report))
    log.event(line, Level::debug);
}

void Session::abort() {
  message_.reset();
}

Next Session::give_up(const char* step, std::string_view why, std::string_view queue_id) noexcept {
  try {
    message_.reset();
    ++service_.failures;
    service_.metrics.passed_unjudged();
    service_.log.line_about(
        queue_id, Level::error,
        std::string("step=") + step + " action=accept: the message passes unjudged: " + printable(why));
  } catch (...) {
    // Nothing is left to say it with; the message must pass all the same.
    return Next::accept;
  }
  return Next::accept;
}

}  // namespace sesame::milter

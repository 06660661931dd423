// sesame preflight: what will become of a message after Amazon SES.
#include "command.h"
#include "inspect/render.h"
#include "mail/address.h"

namespace sesame::cli {
namespace {

int status_of(ses::Verdict verdict) {
  switch (verdict) {
    case ses::Verdict::pass:
    case ses::Verdict::none:
      return kFine;
    case ses::Verdict::fail:
    case ses::Verdict::refused:
      return kBad;
    case ses::Verdict::unknown:
      break;
  }
  return kUndecided;
}

// The envelope sender where none is given: who the message says wrote it, if it does.
void assume_sender(mail::Envelope& envelope, const mail::Message& message) {
  const auto author = mail::find_author(message.fields);
  envelope.sender_known = !author.mailboxes.empty();
  if (envelope.sender_known) envelope.mail_from = author.mailboxes.front().address();
}

}  // namespace

int run_preflight(const Common& common, const PreflightArguments& arguments) {
  auto config = config::load(arguments.config);
  if (!config) return complain(config.error().message, kUsage);
  const auto made = make_runtime(common, std::move(*config));
  if (!made) return complain(made.error().message, kUsage);
  const auto runtime = with_memory(*made);
  const auto message = read_message(arguments.file);
  if (!message) return complain(message.error().message, kUsage);

  mail::Envelope envelope;
  if (arguments.mail_from) {
    envelope.mail_from = without_brackets(*arguments.mail_from);
  } else {
    assume_sender(envelope, *message);
  }
  for (const auto& recipient : arguments.recipients) envelope.recipients.push_back(without_brackets(recipient));
  for (const auto& relay : arguments.relays) envelope.add_relay(relay);
  inspect::Inspection inspection(runtime, policy::Direction::outbound, std::move(envelope));
  feed(inspection, *message);
  const auto report = inspection.finish();
  const auto decision = policy::decide(report, runtime->config.rules);
  const auto text = common.format == Format::json ? inspect::preflight_json(report, decision)
                                                  : inspect::preflight_text(report, decision);
  return answer(text, status_of(report.prediction ? report.prediction->verdict : ses::Verdict::unknown));
}

}  // namespace sesame::cli

// sesame verify: a message received, judged.
#include "command.h"
#include "inspect/render.h"

namespace sesame::cli {
namespace {

int status_of(dmarc::Result result) {
  switch (result) {
    case dmarc::Result::pass:
    case dmarc::Result::none:
      return kFine;
    case dmarc::Result::temperror:
      return kUndecided;
    case dmarc::Result::fail:
    case dmarc::Result::permerror:
      break;
  }
  return kBad;
}

std::optional<dmarc::Vintage> vintage_of(const std::string& mode) {
  for (const auto vintage : {dmarc::Vintage::rfc9989, dmarc::Vintage::rfc7489})
    if (mode == dmarc::to_string(vintage)) return vintage;
  return std::nullopt;
}

}  // namespace

int run_verify(const Common& common, const VerifyArguments& arguments) {
  const auto& session = arguments.session;
  mail::Envelope envelope;
  envelope.helo = session.helo;
  envelope.mail_from = without_brackets(session.mail_from.value_or(""));
  if (session.ip) {
    envelope.client = IpAddress::parse(*session.ip);
    if (!envelope.client) return complain("--ip: \"" + *session.ip + "\" is not an IP address", kUsage);
  }
  auto config = config::defaults();
  config.public_suffix_list = arguments.psl;
  const auto runtime = make_runtime(common, std::move(config));
  if (!runtime) return complain(runtime.error().message, kUsage);
  const auto message = read_message(arguments.file);
  if (!message) return complain(message.error().message, kUsage);

  inspect::Options options;
  options.now = arguments.now;
  options.keys = arguments.keys;
  options.only = vintage_of(arguments.dmarc_mode);
  inspect::Inspection inspection(*runtime, policy::Direction::inbound, std::move(envelope), options);
  feed(inspection, *message);
  auto report = inspection.finish();
  report.bare_ends = message->bare_ends;  // what was fed has the LF mended
  // All that is said then is of that standard, the sentence that tells why too.
  if (options.only == dmarc::Vintage::rfc7489) report.dmarc = report.dmarc_rfc7489;
  const auto shown = options.only ? inspect::Standards::one : inspect::Standards::both;
  const auto text =
      common.format == Format::json ? inspect::verify_json(report, shown) : inspect::verify_text(report, shown);
  return answer(text, status_of(report.dmarc.result));
}

}  // namespace sesame::cli

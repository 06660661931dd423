// The table.
#include "config/settings.h"

#include "config/codec.h"
#include "config/table.h"
#include "config/type.h"

namespace sesame::config {
namespace {

using Texts = std::vector<std::string>;

// What stands in the table's rows; `member` leads from the target to the member that holds the value.
struct Row {
  std::string section;
  std::string name;
  Type type;
  std::string unit = {};
  std::optional<Value> fallback = {};
  std::string otherwise = {};
  std::optional<Value> example = {};
  std::string help;
};

template <class Target, class Member>
Setting<Target> bind(Row row, Member member) {
  Setting<Target> setting;
  static_cast<Entry&>(setting) =
      Entry{std::move(row.section),  std::move(row.name),      std::move(row.type),    std::move(row.unit),
            std::move(row.fallback), std::move(row.otherwise), std::move(row.example), std::move(row.help)};
  setting.set = [member](Target& target, const Value& value) { decode(value, member(target)); };
  setting.get = [member](const Target& target) { return encode(member(target)); };
  return setting;
}

#define SESAME_MEMBER(path)   \
  [](auto& target) -> auto& { \
    return target.path;       \
  }

std::int64_t whole(std::int64_t value) {
  return value;
}
std::string text(const char* value) {
  return value;
}

std::vector<Setting<Config>> top_settings() {
  return {
      bind<Config>({.section = "",
                    .name = "authserv_id",
                    .type = authserv_id(),
                    .otherwise = "the host's name",
                    .example = text("mail.example.com"),
                    .help = "The name this system signs its Authentication-Results and Sesame-Prediction fields with "
                            "(RFC 8601). Fields that arrive from outside under this name are forged and are removed."},
                   SESAME_MEMBER(rules.authserv_id)),
      bind<Config>({.section = "",
                    .name = "public_suffix_list",
                    .type = path(),
                    .fallback = text(""),
                    .help = "A file in the format of publicsuffix.org, for the older DMARC standard (RFC 7489). Empty: "
                            "the list of the system."},
                   SESAME_MEMBER(public_suffix_list)),
  };
}

std::vector<Setting<Config>> milter_settings() {
  return {
      bind<Config>({.section = "milter",
                    .name = "socket",
                    .type = milter_socket(),
                    .fallback = text("inet:8892@127.0.0.1"),
                    .help = "Where the MTA connects. Whoever reaches this socket can ask for verdicts, so keep it on "
                            "the loopback address or in a directory that only the MTA may enter. Read at start only."},
                   SESAME_MEMBER(milter.socket)),
      bind<Config>({.section = "milter",
                    .name = "user",
                    .type = user_name(),
                    .fallback = text(""),
                    .help = "The user to become once the socket is open. Empty: stay who started it, as under "
                            "systemd. Read at start only."},
                   SESAME_MEMBER(milter.user)),
      bind<Config>({.section = "milter",
                    .name = "drain",
                    .type = integer(0, 3600),
                    .unit = "seconds",
                    .fallback = whole(30),
                    .help = "How long the daemon waits, when told to stop, for messages under way."},
                   SESAME_MEMBER(milter.drain)),
  };
}

std::vector<Setting<Config>> dns_settings() {
  return {
      bind<Config>({.section = "dns",
                    .name = "servers",
                    .type = list_of(dns_server()),
                    .fallback = Texts{},
                    .help = "The DNS servers to ask, each with a port where it is not 53. Empty: those of "
                            "/etc/resolv.conf. A caching server on this host is best."},
                   SESAME_MEMBER(dns.servers)),
      bind<Config>({.section = "dns",
                    .name = "timeout",
                    .type = number(0.05, 25),
                    .unit = "seconds",
                    .fallback = 2.0,
                    .help = "How long a question waits for a server before the next is asked as well, or the same one "
                            "again. An answer that comes later still counts, until half of the budget is spent."},
                   SESAME_MEMBER(dns.timeout)),
      bind<Config>({.section = "dns",
                    .name = "tries",
                    .type = integer(1, 10),
                    .fallback = whole(2),
                    .help = "How often the list of servers is gone through at most for one question."},
                   SESAME_MEMBER(dns.tries)),
      bind<Config>({.section = "dns",
                    .name = "budget",
                    .type = number(0.1, 25),
                    .unit = "seconds",
                    .fallback = 5.0,
                    .help = "How long one message may wait for all its DNS answers together. What is not answered by "
                            "then is unknown, and the message goes on. Must stay well under Postfix's "
                            "milter_command_timeout of 30 seconds."},
                   SESAME_MEMBER(dns.budget)),
      bind<Config>({.section = "dns",
                    .name = "cache_size",
                    .type = integer(65536, 68719476736.0),
                    .unit = "bytes",
                    .fallback = whole(67108864),
                    .help = "The memory DNS answers may take."},
                   SESAME_MEMBER(dns.cache_bytes)),
      bind<Config>({.section = "dns",
                    .name = "cache_file",
                    .type = path(),
                    .fallback = text(""),
                    .example = text("/var/lib/sesame/dns-cache"),
                    .help = "Where the daemon keeps its DNS answers when it stops, and finds them when it starts, so "
                            "that a restart asks no more than usual. Empty: it begins with none."},
                   SESAME_MEMBER(dns.cache_file)),
      bind<Config>({.section = "dns",
                    .name = "min_ttl",
                    .type = integer(0, 3600),
                    .unit = "seconds",
                    .fallback = whole(0),
                    .help = "An answer with records is kept at least so long, whatever its time to live. 0: as long "
                            "as its owner says."},
                   SESAME_MEMBER(dns.min_ttl)),
      bind<Config>({.section = "dns",
                    .name = "max_ttl",
                    .type = integer(1, 604800),
                    .unit = "seconds",
                    .fallback = whole(86400),
                    .help = "An answer is kept so long at most."},
                   SESAME_MEMBER(dns.max_ttl)),
      bind<Config>({.section = "dns",
                    .name = "max_negative_ttl",
                    .type = integer(1, 86400),
                    .unit = "seconds",
                    .fallback = whole(10800),
                    .help = "The same for the answer that there is no such record (RFC 2308)."},
                   SESAME_MEMBER(dns.max_negative_ttl)),
      bind<Config>({.section = "dns",
                    .name = "failure_ttl",
                    .type = integer(1, 300),
                    .unit = "seconds",
                    .fallback = whole(5),
                    .help = "How long a question that failed is not asked again (RFC 9520). Other names are not "
                            "concerned, and it ends as soon as servers that were all silent answer again."},
                   SESAME_MEMBER(dns.failure_ttl)),
      bind<Config>({.section = "dns",
                    .name = "max_stale",
                    .type = integer(0, 604800),
                    .unit = "seconds",
                    .fallback = whole(86400),
                    .help = "How long after its time to live an answer still serves where no newer one can be had "
                            "(RFC 8767). A prediction that rests on one is likely at best, and that a record was "
                            "absent is then no longer held against a message. 0: not at all."},
                   SESAME_MEMBER(dns.max_stale)),
      bind<Config>({.section = "dns",
                    .name = "case_randomization",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Ask for names in random upper and lower case, which an answer must repeat, so that a "
                            "forged answer is harder to make. For servers on another host."},
                   SESAME_MEMBER(dns.case_randomization)),
  };
}

std::vector<Setting<Config>> log_and_limit_settings() {
  return {
      bind<Config>({.section = "log",
                    .name = "format",
                    .type = word(words<Log::Format>()),
                    .fallback = text("text"),
                    .help = "One event per message: as key=value text, or as one JSON object a line."},
                   SESAME_MEMBER(log.format)),
      bind<Config>({.section = "log",
                    .name = "destination",
                    .type = log_destination(),
                    .fallback = text("stderr"),
                    .help = "Where events go. Under systemd, stderr is the journal."},
                   SESAME_MEMBER(log.destination)),
      bind<Config>({.section = "log",
                    .name = "level",
                    .type = word({"debug", "info", "warning", "error"}),
                    .fallback = text("info"),
                    .help = "The least severity that is logged. The event of a message is info; debug adds every answer of "
                            "DNS that it was judged by."},
                   SESAME_MEMBER(log.level)),
      bind<Config>({.section = "limits",
                    .name = "header_size",
                    .type = integer(4096, 67108864),
                    .unit = "bytes",
                    .fallback = whole(1048576),
                    .help = "The size of all header fields of one message together. A message over it is judged as "
                            "too large to judge, never by a part of its header."},
                   SESAME_MEMBER(limits.header_bytes)),
      bind<Config>({.section = "limits",
                    .name = "dkim_signatures",
                    .type = integer(1, 100),
                    .fallback = whole(10),
                    .help = "How many DKIM signatures of one message are tried, those of the author's domain first."},
                   SESAME_MEMBER(limits.signatures)),
      bind<Config>({.section = "limits",
                    .name = "clock_skew",
                    .type = integer(0, 86400),
                    .unit = "seconds",
                    .fallback = whole(300),
                    .help = "How far a signer's clock may be off when the times of a signature are checked."},
                   SESAME_MEMBER(limits.clock_skew)),
      bind<Config>({.section = "limits",
                    .name = "spf_void_lookups",
                    .type = integer(0, 10),
                    .fallback = whole(2),
                    .help = "How many look-ups of one SPF check of received mail may find nothing; one more is "
                            "permerror (RFC 7208 Section 4.6.4). Predictions assume 2, which receivers use."},
                   SESAME_MEMBER(limits.spf_void_lookups)),
  };
}

std::vector<Setting<Config>> outbound_settings() {
  return {
      bind<Config>({.section = "ses",
                    .name = "region",
                    .type = region(),
                    .otherwise = "none; required as soon as there is an identity, a route or a snapshot",
                    .example = text("us-east-1"),
                    .help = "The region of the SES endpoint that outbound mail is relayed through. Identities of "
                            "other regions do not count for it."},
                   SESAME_MEMBER(ses.region)),
      bind<Config>({.section = "ses",
                    .name = "account",
                    .type = account_name(),
                    .fallback = text(""),
                    .help = "A name for the AWS account that outbound mail is relayed through, its number or any "
                            "other. Needed only where there are several."},
                   SESAME_MEMBER(ses.account)),
      bind<Config>({.section = "ses",
                    .name = "snapshot",
                    .type = path(),
                    .fallback = text(""),
                    .example = text("/var/lib/sesame/ses.json"),
                    .help = "A file with what the SESv2 API says of the identities, as sesame sync writes it. The "
                            "daemon takes a new one without a restart. An identity of the configuration stands in "
                            "for the one of the same account, name and region in the snapshot."},
                   SESAME_MEMBER(ses.snapshot)),
      bind<Config>({.section = "ses",
                    .name = "snapshot_max_age",
                    .type = integer(60, 31536000),
                    .unit = "seconds",
                    .fallback = whole(86400),
                    .help = "What the snapshot says of an identity's state is relied on for this long. Afterwards a "
                            "good state makes predictions likely instead of confirmed, and a bad one makes none: it "
                            "may have been mended."},
                   SESAME_MEMBER(ses.snapshot_max_age)),
      bind<Config>({.section = "ses",
                    .name = "tracking_configuration_sets",
                    .type = list_of(configuration_set()),
                    .fallback = Texts{},
                    .help = "Configuration sets with open or click tracking: SES then changes HTML bodies, which "
                            "breaks signatures made before."},
                   SESAME_MEMBER(ses.tracking_configuration_sets)),
      bind<Config>({.section = "ses",
                    .name = "arrivals",
                    .type = path(),
                    .fallback = text(""),
                    .example = text("/var/lib/sesame/arrivals.json"),
                    .help = "Where the daemon keeps what it learns from received mail that came through SES: the "
                            "selector seen, and what really passed. Empty: until it stops."},
                   SESAME_MEMBER(ses.arrivals)),
      bind<Config>({.section = "outbound",
                    .name = "networks",
                    .type = list_of(network()),
                    .fallback = Texts{"127.0.0.0/8", "::1"},
                    .help = "Clients whose mail is outbound: ours, on its way to SES. Authenticated clients and local "
                            "submission are outbound in any case; all other mail is inbound."},
                   SESAME_MEMBER(directions.outbound_networks)),
      bind<Config>({.section = "outbound",
                    .name = "daemon_names",
                    .type = list_of(daemon_name()),
                    .fallback = Texts{},
                    .help = "Mail that arrives through an MTA service of one of these names (the {daemon_name} macro: "
                            "milter_macro_daemon_name in Postfix) is outbound, too."},
                   SESAME_MEMBER(directions.outbound_daemon_names)),
      bind<Config>({.section = "outbound",
                    .name = "fail",
                    .type = word(words<policy::Level>()),
                    .fallback = text("observe"),
                    .help = "What to do with mail that will fail DMARC after SES: observe logs it, tag adds the "
                            "Sesame-Prediction field, hold keeps it in the MTA's hold queue, reject answers 5.7.x with "
                            "the reason. An unknown outcome is never acted upon."},
                   SESAME_MEMBER(rules.outbound.fail)),
      bind<Config>({.section = "outbound",
                    .name = "refused",
                    .type = word(words<policy::Level>()),
                    .fallback = text("observe"),
                    .help = "The same for mail that SES will not take."},
                   SESAME_MEMBER(rules.outbound.refused)),
  };
}

std::vector<Setting<Config>> watch_settings() {
  return {
      bind<Config>({.section = "watch",
                    .name = "interval",
                    .type = integer(0, 86400),
                    .unit = "seconds",
                    .fallback = whole(600),
                    .help = "How often the daemon looks at the DNS records of each identity, at every name server of "
                            "its domain. 0: never."},
                   SESAME_MEMBER(watch.interval)),
      bind<Config>({.section = "watch",
                    .name = "max_rate",
                    .type = integer(1, 10000),
                    .fallback = whole(50),
                    .help = "Questions a second, to all name servers together. Many identities are then looked at "
                            "less often than the interval says."},
                   SESAME_MEMBER(watch.max_rate)),
      bind<Config>({.section = "watch",
                    .name = "memory",
                    .type = path(),
                    .fallback = text(""),
                    .example = text("/var/lib/sesame/watch.sqlite"),
                    .help = "Where everything observed is kept, for sesame watch --timeline and --evidence, and so "
                            "that a restart forgets no deadline. Empty: only states, until the daemon stops."},
                   SESAME_MEMBER(watch.memory)),
      bind<Config>({.section = "watch",
                    .name = "keep",
                    .type = integer(86400, 315360000),
                    .unit = "seconds",
                    .fallback = whole(7776000),
                    .help = "How long observations are kept after they ended."},
                   SESAME_MEMBER(watch.keep)),
      bind<Config>({.section = "watch",
                    .name = "hook",
                    .type = list_of(argument()),
                    .fallback = Texts{},
                    .example = Texts{"/usr/local/bin/page-postmaster"},
                    .help = "A program, by its absolute path, and its arguments, run without a shell for each alert "
                            "with the alert as JSON on its standard input. It has 30 seconds. Empty: none."},
                   SESAME_MEMBER(watch.alerts.hook)),
      bind<Config>({.section = "watch",
                    .name = "mail_to",
                    .type = mailbox_or_empty(),
                    .fallback = text(""),
                    .example = text("postmaster@example.com"),
                    .help = "Who gets alerts by mail: an address that needs no quotes. Choose one that SES does not "
                            "deliver to. Empty: nobody."},
                   SESAME_MEMBER(watch.alerts.mail_to)),
      bind<Config>({.section = "watch",
                    .name = "mail_from",
                    .type = mailbox_or_empty(),
                    .fallback = text(""),
                    .help = "The author of these mails. Empty: the user of the daemon, at this host."},
                   SESAME_MEMBER(watch.alerts.mail_from)),
      bind<Config>({.section = "watch",
                    .name = "sendmail",
                    .type = path(),
                    .fallback = text("/usr/sbin/sendmail"),
                    .help = "The program that takes these mails. In the service as installed those of Postfix, Exim "
                            "and Sendmail cannot: see WATCH in sesame-milter(8)."},
                   SESAME_MEMBER(watch.alerts.sendmail)),
      bind<Config>({.section = "watch",
                    .name = "webhook",
                    .type = url_or_empty(),
                    .fallback = text(""),
                    .example = text("https://alerts.example.com/sesame"),
                    .help = "Where each alert is posted as JSON: a URL without user and password. Certificates are "
                            "verified, redirections are not followed. Empty: nowhere."},
                   SESAME_MEMBER(watch.alerts.webhook)),
  };
}

std::vector<Setting<Config>> history_settings() {
  return {
      bind<Config>({.section = "history",
                    .name = "store",
                    .type = history_store(),
                    .fallback = text("/var/lib/sesame/history.sqlite"),
                    .help = "Where one row for each message is kept: an SQLite file, or a PostgreSQL database that "
                            "several hosts share, by its URL; a password stands better in the file that PGPASSFILE "
                            "names. No message ever waits for it. Where the directory of the file is not there, and "
                            "with an empty value, nothing is kept."},
                   SESAME_MEMBER(history.store)),
      bind<Config>({.section = "history",
                    .name = "keep",
                    .type = integer(3600, 315360000),
                    .unit = "seconds",
                    .fallback = whole(2592000),
                    .help = "How long a row is kept."},
                   SESAME_MEMBER(history.keep)),
      bind<Config>({.section = "history",
                    .name = "max_size",
                    .type = integer(1048576, 1099511627776.0),
                    .unit = "bytes",
                    .fallback = whole(1073741824),
                    .help = "The most the SQLite file may take, and what waits for PostgreSQL on this host. Beyond it "
                            "the oldest rows go first."},
                   SESAME_MEMBER(history.max_size)),
      bind<Config>({.section = "history",
                    .name = "spool",
                    .type = path(),
                    .fallback = text("/var/lib/sesame/spool.sqlite"),
                    .help = "Where rows wait while PostgreSQL is away. Empty: in memory, as long as there is room."},
                   SESAME_MEMBER(history.spool)),
  };
}

std::vector<Setting<Config>> status_settings() {
  return {
      bind<Config>({.section = "status",
                    .name = "listen",
                    .type = status_listen(),
                    .fallback = text("127.0.0.1:8895"),
                    .help = "Where the daemon answers: / is the dashboard, /metrics is for Prometheus, /healthz tells "
                            "that it lives. Who reaches it can read who sent mail to whom; an address other than "
                            "loopback needs token_file. Empty: nowhere."},
                   SESAME_MEMBER(status.listen)),
      bind<Config>({.section = "status",
                    .name = "token_file",
                    .type = path(),
                    .fallback = text(""),
                    .example = text("/etc/sesame/status-token"),
                    .help = "A file whose first line clients must know: as a bearer token, or as the password of any "
                            "user. /healthz needs none. Empty: nobody has to know anything."},
                   SESAME_MEMBER(status.token_file)),
  };
}

std::vector<Setting<Config>> inbound_settings() {
  return {
      bind<Config>({.section = "inbound",
                    .name = "own_ids",
                    .type = list_of(authserv_id()),
                    .fallback = Texts{},
                    .help = "Further names under which no Authentication-Results may arrive from outside, such as "
                            "those of the other mail servers of this site. authserv_id is always one of them."},
                   SESAME_MEMBER(rules.own_ids)),
      bind<Config>(
          {.section = "inbound",
           .name = "on_policy_reject",
           .type = word(words<policy::Handling>()),
           .fallback = text("observe"),
           .help = "What to do with mail that fails DMARC where the domain owner asks for p=reject: observe logs it, "
                   "quarantine puts it into the MTA's hold queue until somebody releases it (Postfix: postsuper "
                   "-H), reject answers 550 5.7.1 with the reason."},
          SESAME_MEMBER(rules.on_policy_reject)),
      bind<Config>(
          {.section = "inbound",
           .name = "on_policy_quarantine",
           .type = word(words<policy::Handling>()),
           .fallback = text("observe"),
           .help = "What to do with mail that fails DMARC where the domain owner asks for p=quarantine; the words "
                   "are those of on_policy_reject."},
          SESAME_MEMBER(rules.on_policy_quarantine)),
      bind<Config>({.section = "inbound",
                    .name = "on_bad_author",
                    .type = word(words<policy::Handling>()),
                    .fallback = text("observe"),
                    .help = "What to do with mail whose From field is missing, repeated or unreadable, so that DMARC "
                            "has no domain to judge; the words are those of on_policy_reject."},
                   SESAME_MEMBER(rules.on_bad_author)),
      bind<Config>({.section = "inbound",
                    .name = "tempfail_on_temperror",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Whether mail that DNS trouble leaves undecided is answered 451, so that the sender tries "
                            "again later. false: it is accepted."},
                   SESAME_MEMBER(rules.tempfail_on_temperror)),
      bind<Config>({.section = "inbound",
                    .name = "refuse_test_keys",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Whether a DKIM signature whose key is marked as being tested (t=y) earns nothing, as RFC "
                            "6376 has it; the result is then policy. false: it counts, as most receivers have it."},
                   SESAME_MEMBER(refuse_test_keys)),
      bind<Config>({.section = "inbound",
                    .name = "trusted_arc_sealers",
                    .type = list_of(domain()),
                    .fallback = Texts{},
                    .example = Texts{"lists.example.org"},
                    .help = "Forwarders whose word is taken where DMARC fails: the domains (d=) they seal with. The "
                            "policy is not applied when the ARC chain holds, one of them saw DMARC pass for the author "
                            "domain, and everybody who sealed after it is one of them. The result stays fail."},
                   SESAME_MEMBER(rules.trusted_sealers)),
      bind<Config>({.section = "repair",
                    .name = "duplicate_fields",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Remove surplus duplicates of a header field that SES takes once only, when all of them "
                            "say the same."},
                   SESAME_MEMBER(rules.repair.duplicate_fields)),
      bind<Config>({.section = "repair",
                    .name = "upstream_signatures",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Remove DKIM-Signature fields that cannot survive SES, and surplus ones, for which it "
                            "refuses the message."},
                   SESAME_MEMBER(rules.repair.upstream_signatures)),
      bind<Config>({.section = "repair",
                    .name = "ses_fields",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Remove X-SES-* fields, which tell SES what to do, unless the client is one of "
                            "ses_fields_trusted."},
                   SESAME_MEMBER(rules.repair.ses_fields)),
      bind<Config>(
          {.section = "repair",
           .name = "ses_fields_trusted",
           .type = list_of(network()),
           .fallback = Texts{},
           .help = "Clients that may set X-SES-* fields. Postfix says 127.0.0.1 of what sendmail(1) submits; a "
                   "client whose address the MTA does not tell may not."},
          SESAME_MEMBER(rules.repair.ses_fields_trusted)),
      bind<Config>({.section = "repair",
                    .name = "own_fields",
                    .type = boolean(),
                    .fallback = false,
                    .help = "Remove Sesame-Prediction, and Authentication-Results under authserv_id and own_ids, "
                            "from mail on its way out."},
                   SESAME_MEMBER(rules.repair.own_fields)),
      bind<Config>({.section = "ignore",
                    .name = "networks",
                    .type = list_of(network()),
                    .fallback = Texts{},
                    .help = "Clients whose mail is neither judged nor touched."},
                   SESAME_MEMBER(directions.ignore_networks)),
      bind<Config>({.section = "ignore",
                    .name = "from_domains",
                    .type = list_of(domain()),
                    .fallback = Texts{},
                    .help = "Mail from an author of one of these domains, or of a domain below it, is not judged. "
                            "From can be forged: list domains only where that does no harm."},
                   SESAME_MEMBER(directions.ignore_from_domains)),
  };
}

std::vector<Setting<ses::Identity>> identity_rows() {
  using ses::Identity;
  const std::string section = "ses.identity";
  return {
      bind<Identity>({.section = section,
                      .name = "name",
                      .type = identity_name(),
                      .otherwise = "required",
                      .example = text("example.com"),
                      .help = "The domain or the address that is verified in SES. An address identity takes its own "
                              "settings, never those of its domain."},
                     SESAME_MEMBER(name)),
      bind<Identity>({.section = section,
                      .name = "region",
                      .type = region(),
                      .otherwise = "ses.region",
                      .example = text("us-east-1"),
                      .help = "The region this identity belongs to."},
                     SESAME_MEMBER(region)),
      bind<Identity>({.section = section,
                      .name = "account",
                      .type = account_name(),
                      .otherwise = "ses.account",
                      .example = text("111122223333"),
                      .help = "The account this identity belongs to."},
                     SESAME_MEMBER(account)),
      bind<Identity>({.section = section,
                      .name = "verified_for_sending",
                      .type = boolean(),
                      .fallback = true,
                      .help = "VerifiedForSendingStatus: whether SES takes mail from this identity."},
                     SESAME_MEMBER(verified_for_sending)),
      bind<Identity>({.section = section,
                      .name = "configuration_set",
                      .type = configuration_set_or_empty(),
                      .fallback = text(""),
                      .help = "ConfigurationSetName: the identity's default configuration set."},
                     SESAME_MEMBER(configuration_set)),
      bind<Identity>({.section = section,
                      .name = "dkim.status",
                      .type = word(words<ses::Status>()),
                      .otherwise = "inferred from DNS",
                      .example = text("SUCCESS"),
                      .help = "DkimAttributes.Status, the word of the API. Left out, the state is inferred from the "
                              "DNS records, and predictions are likely instead of confirmed."},
                     SESAME_MEMBER(dkim.status)),
      bind<Identity>({.section = section,
                      .name = "dkim.signing_enabled",
                      .type = boolean(),
                      .fallback = true,
                      .help = "DkimAttributes.SigningEnabled: whether SES signs with this identity's domain."},
                     SESAME_MEMBER(dkim.signing_enabled)),
      bind<Identity>({.section = section,
                      .name = "dkim.origin",
                      .type = dkim_origin(),
                      .fallback = text("AWS_SES"),
                      .help = "DkimAttributes.SigningAttributesOrigin: AWS_SES for Easy DKIM, EXTERNAL for a key of "
                              "your own (BYODKIM), AWS_SES_<REGION> for a replica of the identity of that region."},
                     SESAME_MEMBER(dkim.origin)),
      bind<Identity>(
          {.section = section,
           .name = "dkim.tokens",
           .type = list_of(dkim_token()),
           .fallback = Texts{},
           .example = Texts{"t1", "t2", "t3"},
           .help = "DkimAttributes.Tokens: the three tokens of Easy DKIM, which are the selectors; the one "
                   "selector where the origin is EXTERNAL. Without them the DKIM records cannot be checked."},
          SESAME_MEMBER(dkim.tokens)),
      bind<Identity>({.section = section,
                      .name = "dkim.signing_hosted_zone",
                      .type = domain_or_empty(),
                      .fallback = text(""),
                      .example = text("dkim.amazonses.com"),
                      .help = "DkimAttributes.SigningHostedZone: where the CNAME records of the tokens point. Empty: "
                              "the zone known for the region, or that of the replica's parent."},
                     SESAME_MEMBER(dkim.signing_hosted_zone)),
      bind<Identity>({.section = section,
                      .name = "mail_from.domain",
                      .type = domain_or_empty(),
                      .fallback = text(""),
                      .example = text("bounce.example.com"),
                      .help = "MailFromAttributes.MailFromDomain: the custom MAIL FROM domain, a subdomain of the "
                              "identity's. Empty: the default of the region, a name of amazonses.com."},
                     SESAME_MEMBER(mail_from.domain)),
      bind<Identity>({.section = section,
                      .name = "mail_from.status",
                      .type = word(words<ses::Status>()),
                      .otherwise = "inferred from the MX record",
                      .example = text("SUCCESS"),
                      .help = "MailFromAttributes.MailFromDomainStatus, the word of the API."},
                     SESAME_MEMBER(mail_from.status)),
      bind<Identity>({.section = section,
                      .name = "mail_from.behavior_on_mx_failure",
                      .type = word(words<ses::OnMxFailure>()),
                      .fallback = text("USE_DEFAULT_VALUE"),
                      .help = "MailFromAttributes.BehaviorOnMxFailure: what SES does while the MX record of the "
                              "custom MAIL FROM domain is not right."},
                     SESAME_MEMBER(mail_from.behavior_on_mx_failure)),
  };
}

std::vector<Setting<ses::Route>> route_rows() {
  using ses::Route;
  const std::string section = "ses.route";
  return {
      bind<Route>({.section = section,
                   .name = "from",
                   .type = author_or_empty(),
                   .fallback = text(""),
                   .example = text("example.org"),
                   .help = "The author (From): a domain with everything below it, or one address. Empty: any."},
                  SESAME_MEMBER(from)),
      bind<Route>({.section = section,
                   .name = "sender",
                   .type = author_or_empty(),
                   .fallback = text(""),
                   .help = "The envelope sender, likewise."},
                  SESAME_MEMBER(sender)),
      bind<Route>({.section = section,
                   .name = "relay",
                   .type = relay_host(),
                   .fallback = text(""),
                   .example = text("email-smtp.eu-west-1.amazonaws.com"),
                   .help = "The host the MTA relays the message to (the {rcpt_host} macro), without brackets and port. "
                           "Empty: any. Where the MTA does not tell it, as Postfix for mail from sendmail(1), this "
                           "route may hold or not, and where that makes a difference there is no prediction."},
                  SESAME_MEMBER(relay)),
      bind<Route>({.section = section,
                   .name = "account",
                   .type = account_name(),
                   .otherwise = "ses.account",
                   .example = text("111122223333"),
                   .help = "The account such mail is relayed through."},
                  SESAME_MEMBER(account)),
      bind<Route>({.section = section,
                   .name = "region",
                   .type = region(),
                   .otherwise = "ses.region",
                   .example = text("eu-west-1"),
                   .help = "Its region."},
                  SESAME_MEMBER(region)),
      bind<Route>({.section = section,
                   .name = "configuration_set",
                   .type = configuration_set_or_empty(),
                   .fallback = text(""),
                   .help = "The configuration set that SES uses for it where the message names none."},
                  SESAME_MEMBER(configuration_set)),
  };
}

std::vector<Setting<policy::OutboundOverride>> override_rows() {
  using policy::OutboundOverride;
  const std::string section = "outbound.override";
  return {
      bind<OutboundOverride>({.section = section,
                              .name = "domain",
                              .type = domain(),
                              .otherwise = "required",
                              .example = text("example.org"),
                              .help = "The From domain this holds for, with everything below it. The most specific "
                                      "domain wins."},
                             SESAME_MEMBER(domain)),
      bind<OutboundOverride>({.section = section,
                              .name = "fail",
                              .type = word(words<policy::Level>()),
                              .otherwise = "outbound.fail",
                              .example = text("hold"),
                              .help = "outbound.fail for this domain."},
                             SESAME_MEMBER(rule.fail)),
      bind<OutboundOverride>({.section = section,
                              .name = "refused",
                              .type = word(words<policy::Level>()),
                              .otherwise = "outbound.refused",
                              .example = text("reject"),
                              .help = "outbound.refused for this domain."},
                             SESAME_MEMBER(rule.refused)),
  };
}

#undef SESAME_MEMBER

template <class Target>
void append(std::vector<Setting<Target>>& all, std::vector<Setting<Target>> more) {
  for (auto& setting : more) all.push_back(std::move(setting));
}

template <class Target>
void append_entries(std::vector<const Entry*>& all, const std::vector<Setting<Target>>& settings,
                    const std::string& section) {
  for (const auto& setting : settings)
    if (setting.section == section) all.push_back(&setting);
}

}  // namespace

const std::vector<Section>& sections() {
  using enum Section::Kind;
  static const std::vector<Section> all = {
      {"", single, ""},
      {"milter", single, "The daemon and its connection to the MTA."},
      {"dns", single, "Look-ups."},
      {"log", single, "Events."},
      {"limits", single, "What one message may cost."},
      {"ses", single, "The Amazon SES account that outbound mail is relayed through."},
      {"ses.identity", list,
       "One table for each identity of the account; the words are those of the SESv2 API (GetEmailIdentity). "
       "A name may stand here once for each account and region."},
      {"ses.route", list,
       "One table for each kind of mail that is relayed through another account, region or configuration set. All that "
       "is not empty must match; the first table that does holds."},
      {"outbound", single, "Mail of ours, on its way to SES."},
      {"outbound.override", list, "One table for each From domain that is to be treated differently."},
      {"inbound", single, "Mail received. Authentication-Results is added in any case."},
      {"repair", single, "What is mended on outbound mail before it is relayed. Each repair is logged."},
      {"watch", single, "The watch over the DNS records that SES depends on, and its alerts."},
      {"history", single, "What became of each message, kept for sesame report, explain, top and tail."},
      {"status", single, "The dashboard, and metrics for Prometheus, over HTTP."},
      {"ignore", single, "Mail to leave alone."},
  };
  return all;
}

const std::vector<Setting<Config>>& general_settings() {
  static const auto all = [] {
    auto rows = top_settings();
    for (const auto part : {milter_settings, dns_settings, log_and_limit_settings, outbound_settings, inbound_settings,
                            watch_settings, history_settings, status_settings})
      append(rows, part());
    return rows;
  }();
  return all;
}

const std::vector<Setting<ses::Identity>>& identity_settings() {
  static const auto all = identity_rows();
  return all;
}

const std::vector<Setting<ses::Route>>& route_settings() {
  static const auto all = route_rows();
  return all;
}

const std::vector<Setting<policy::OutboundOverride>>& override_settings() {
  static const auto all = override_rows();
  return all;
}

std::vector<const Entry*> entries() {
  std::vector<const Entry*> all;
  for (const auto& section : sections()) {
    append_entries(all, general_settings(), section.name);
    append_entries(all, identity_settings(), section.name);
    append_entries(all, route_settings(), section.name);
    append_entries(all, override_settings(), section.name);
  }
  return all;
}

}  // namespace sesame::config

// Kernels that come to a verdict, all their records known already.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/kernels.h"
#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "dns/caching_resolver.h"
#include "dns/meter.h"
#include "mail/message.h"
#include "ses/world.h"
#include "spf/spf.h"
#include "support/fake_resolver.h"
#include "support/signer.h"

namespace sesame::bench {
namespace {

// Answers from a zone in memory.
class ZoneUpstream final : public dns::Upstream {
 public:
  explicit ZoneUpstream(test::Zone zone) : resolver_(std::move(zone)) {}
  void ask(const std::string& name, dns::Type type, std::function<void(dns::Answer)> done) override {
    done(*resolver_.lookup(name, type, Deadline::max()));
  }

 private:
  test::FakeResolver resolver_;
};

dns::CachingResolver cache_of(test::Zone zone) {
  return {std::make_unique<ZoneUpstream>(std::move(zone)), {.min_ttl = 3600}, system_clock()};
}

constexpr const char* kRecords = R"(
example.com            TXT v=spf1 include:_spf.example.net mx ~all
example.com            MX  10 mail.example.com
mail.example.com       A   192.0.2.1
_spf.example.net       TXT v=spf1 include:_net1.example.net include:_net2.example.net ~all
_net1.example.net      TXT v=spf1 ip4:198.51.100.0/25 ip6:2001:db8:1::/48 ~all
_net2.example.net      TXT v=spf1 ip4:203.0.113.0/24 ~all
_dmarc.example.com     TXT v=DMARC1; p=reject; rua=mailto:reports@example.com
)";

void evaluate_spf(benchmark::State& state) {
  auto resolver = cache_of(test::Zone(kRecords));
  const spf::Query query{*IpAddress::parse("203.0.113.7"), "mail.example.net", "bounce@example.com"};
  measure(state, [&] {
    const auto outcome = spf::check_mail_from(resolver, query, {});
    if (outcome.result != spf::Result::pass) state.SkipWithError("SPF does not pass");
  });
}

void evaluate_dmarc(benchmark::State& state) {
  auto resolver = cache_of(test::Zone(kRecords));
  using dmarc::Identifier;
  const std::vector<Identifier> found = {{Identifier::Method::dkim, "news.example.com", Identifier::State::pass},
                                         {Identifier::Method::spf, "example.net", Identifier::State::pass}};
  measure(state, [&] {
    dmarc::Evaluator evaluator(resolver, dmarc::Vintage::rfc9989, nullptr, Deadline::max());
    if (dmarc::evaluate(evaluator, "news.example.com", found).result != dmarc::Result::pass)
      state.SkipWithError("DMARC does not pass");
  });
}

void verify_dkim(benchmark::State& state, const test::Signer& signer, const std::string& algorithm) {
  auto resolver = cache_of(test::Zone("s._domainkey.example.com TXT " + signer.record()));
  const test::Crafted crafted{
      .tags = "v=1; a=" + algorithm + "; c=simple/simple; d=example.com; s=s; h=from:to:subject;",
      .signed_lines = {"From: a@example.com\r\n", "To: b@example.net\r\n", "Subject: hello\r\n"},
      .header = {},
      .body = std::string(30, 'x') + "\r\n",
      .body_after = {}};
  const auto message = mail::read_message(test::sign_simple(signer, crafted));
  const std::vector<std::string> authors = {"example.com"};
  dkim::Options options;
  options.now = 1'750'000'000;
  measure(state, [&] {
    dkim::Verifier verifier(resolver, options);
    for (const auto& field : message.fields) verifier.field(field);
    verifier.end_of_header(message.fields, authors);
    verifier.body(message.body);
    const auto outcomes = verifier.finish(Deadline::max());
    if (outcomes.size() != 1 || outcomes[0].result != dkim::Result::pass) state.SkipWithError("DKIM does not pass");
  });
}

void predict(benchmark::State& state) {
  test::SesWorld world;
  auto resolver = cache_of(world.resolver.zone());
  const auto author = mail::find_author(world.fields);
  const auto suffixes = dmarc::PublicSuffixList::system();
  measure(state, [&] {
    dns::Meter meter(resolver, system_clock());
    const ses::Surroundings around{.resolver = meter,
                                   .account = world.account,
                                   .deadline = Deadline::max(),
                                   .suffixes = suffixes,
                                   .now = world.now,
                                   .accounts = {&world.account, 1},
                                   .meter = &meter};
    const auto found = ses::predict(around, {world.envelope, world.fields, author, world.upstream});
    if (found.verdict != ses::Verdict::pass) state.SkipWithError("the prediction is not a pass");
  });
}

void look_up(benchmark::State& state) {
  static auto resolver = cache_of(test::Zone(kRecords));
  measure(state, [&] { benchmark::DoNotOptimize(resolver.lookup("example.com", dns::Type::txt, Deadline::max())); });
}

const bool registered = [] {
  benchmark::RegisterBenchmark("SPF", evaluate_spf);
  benchmark::RegisterBenchmark("DMARC", evaluate_dmarc);
  benchmark::RegisterBenchmark(
      "DKIM rsa-2048", [](benchmark::State& state) { verify_dkim(state, test::Signer::rsa(2048), "rsa-sha256"); });
  benchmark::RegisterBenchmark(
      "DKIM ed25519", [](benchmark::State& state) { verify_dkim(state, test::Signer::ed25519(), "ed25519-sha256"); });
  benchmark::RegisterBenchmark("prediction", predict);
  for (const int threads : {1, 2, 8}) benchmark::RegisterBenchmark("DNS cache hit", look_up)->Threads(threads);
  return true;
}();

}  // namespace
}  // namespace sesame::bench

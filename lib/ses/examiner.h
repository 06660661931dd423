// How an examination is put together. Inside this folder only: examine.cc says whose settings apply and what follows,
// examine_dkim.cc looks at the DKIM records, examine_records.cc at the others, examine_publish.cc says what to publish.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "dmarc/dmarc.h"
#include "ses/examine.h"
#include "ses/key_records.h"

namespace sesame::ses {

// Builds one examination. The steps are called in the order in which they stand.
class Examiner {
 public:
  Examiner(const Examining& means, const std::string& subject);
  Examination run() &&;

 private:
  enum class Idle { all, some };

  void find_identity();
  void predict_mail();
  void predict_without_identity();

  void check_dkim();
  void check_cname(const Selector& selector);
  void check_key(const Selector& selector, Idle idle);

  void check_mail_from();
  void check_dmarc();
  void check_dmarc_at(const std::string& name);
  void check_apex();
  void check_amazon(const std::string& name);

  enum class Identifier { dkim, mail_from };
  void align(Identifier identifier, const std::string& domain);

  void publish_dkim(const KeyRecords& records);
  void publish_mail_from();
  void propose_mail_from(const std::string& parent);
  void publish_dmarc();
  void publish_relaxed_dmarc();
  void publish_policy(const std::string& name);
  // Unless one is told already for the name and type.
  void publish(Publishable record);
  // Does a record of these types, or an alias, stand at the name?
  Tri stands_at(const std::string& name, std::span<const dns::Type> types) const;
  // For nothing that is known here, and nothing that DNS shows.
  bool is_unused(const std::string& name) const;

  void merge_repeats();
  void report_bogus_zones();
  void conclude();

  // Remembers what fails only where it is validated.
  dns::AnswerPtr ask(const std::string& name, dns::Type type);
  std::string zone_of(std::string_view name) const;
  bool has(Code code) const;
  void add(RecordCheck check) { result_.records.push_back(std::move(check)); }

  const Examining& means_;
  const Surroundings& world_;
  Examination result_;
  mail::Mailbox from_;
  dmarc::Evaluator walk_, list_;
  dmarc::Discovery by_walk_, by_list_;
  std::set<std::string> bogus_;  // zones
};

inline constexpr const char* kMailFromPurpose = "MAIL FROM";
inline constexpr const char* kSpfOfSes = "v=spf1 include:amazonses.com ~all";
// "10 feedback-smtp.us-east-1.amazonses.com", https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
std::string feedback_mx(const std::string& region);
// What an answer holds, for a reader: its data, or why there is none.
std::string describe(const dns::Answer& answer);

}  // namespace sesame::ses

// A folder of messages, with who sends each and what is expected to be found.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/script.h"
#include "mail/field.h"

namespace sesame::bench {

// Result words, or "-" where nothing is expected; `dkim`: of the signatures from the top, with commas, or "none".
struct Verdict {
  std::string spf = "-";
  std::string dkim = "-";
  std::string dmarc = "-";
};

// One row of index.tsv: file, client_ip, client_name, helo, mail_from, rcpt, size, group, spf, dkim, dmarc.
struct Row {
  std::string file;
  std::string client_ip;
  std::string client_name;
  std::string helo;
  std::string mail_from;           // without angle brackets; "" is the null reverse-path
  std::vector<std::string> rcpts;  // likewise
  std::string group;
  Verdict expected;
};

class Mail {
 public:
  Mail(Row row, std::string_view text);

  const Row& row() const { return row_; }
  // Values as on the wire: with their leading space, folds as LF.
  const mail::Fields& fields() const { return fields_; }
  // Packets for a filter that negotiated this; made once for each form of it.
  const Script& envelope(const Negotiated& negotiated) const;
  const Script& content(const Negotiated& negotiated) const;
  // With these fields, as an earlier filter left them.
  void write_content(Script& script, const Negotiated& negotiated, const mail::Fields& fields) const;

 private:
  Row row_;
  mail::Fields fields_;
  BodyPackets body_;
  mutable std::map<std::uint32_t, std::unique_ptr<const Script>> envelopes_, contents_;
};

// Those of the group, or all for "". All of these throw std::runtime_error naming what cannot be read.
std::vector<Mail> read_corpus(const std::filesystem::path& folder, const std::string& group);
std::vector<Row> read_index(const std::filesystem::path& folder);
std::string read_message_text(const std::filesystem::path& folder, const Row& row);
std::string read_file(const std::filesystem::path& path);

}  // namespace sesame::bench

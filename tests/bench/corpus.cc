#include "bench/corpus.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "mail/message.h"
#include "util/text.h"

namespace sesame::bench {
namespace {

constexpr const char* kQueueId = "4BENCH0001";

std::vector<std::string> words(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (const auto part : split(text, separator)) out.emplace_back(part);
  return out;
}

std::string without_cr(std::string_view value) {
  std::string text(value);
  std::erase(text, '\r');
  return text;
}

// The columns by their names in the first line.
class Columns {
 public:
  explicit Columns(std::string_view line) : names_(words(line, '\t')) {}
  std::string of(const std::vector<std::string>& cells, std::string_view name) const {
    const auto at = static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin());
    if (at >= cells.size()) throw std::runtime_error("index.tsv: a row without " + std::string(name));
    return cells[at];
  }

 private:
  std::vector<std::string> names_;
};

Row row_of(const Columns& columns, const std::vector<std::string>& cells) {
  const auto of = [&](std::string_view name) { return columns.of(cells, name); };
  return {.file = of("file"),
          .client_ip = of("client_ip"),
          .client_name = of("client_name"),
          .helo = of("helo"),
          .mail_from = of("mail_from"),
          .rcpts = words(of("rcpt"), ','),
          .group = of("group"),
          .expected = {of("spf"), of("dkim"), of("dmarc")}};
}

mail::Fields wire_fields(const mail::Fields& fields) {
  mail::Fields result;
  for (const auto& field : fields) result.push_back({field.name, without_cr(field.value)});
  return result;
}

std::string domain_of(const std::string& address) {
  return address.substr(address.find('@') + 1);
}

}  // namespace

Mail::Mail(Row row, std::string_view text) : row_(std::move(row)), body_({}) {
  auto message = mail::read_message(text);
  fields_ = wire_fields(message.fields);
  body_ = BodyPackets(message.body);
}

const Script& Mail::envelope(const Negotiated& negotiated) const {
  auto& script = envelopes_[negotiated.protocol];
  if (script) return *script;
  auto made = std::make_unique<Script>();
  ScriptWriter writer(*made, negotiated);
  const auto& from = row_.mail_from;
  writer.step('M', texts({"<" + from + ">"}),
              {"{mail_addr}", from, "{mail_host}", domain_of(from), "{mail_mailer}", "smtp"});
  for (const auto& rcpt : row_.rcpts)
    writer.step('R', texts({"<" + rcpt + ">"}),
                {"{rcpt_addr}", rcpt, "{rcpt_host}", domain_of(rcpt), "{rcpt_mailer}", "local"});
  writer.step('T', "", {"i", kQueueId});
  writer.finish();
  script = std::move(made);
  return *script;
}

void Mail::write_content(Script& script, const Negotiated& negotiated, const mail::Fields& fields) const {
  ScriptWriter writer(script, negotiated);
  for (const auto& field : fields) writer.header(field);
  writer.step('N', "", {"i", kQueueId});
  writer.body(body_);
  writer.step('E', "", {"i", kQueueId});
  writer.finish();
}

const Script& Mail::content(const Negotiated& negotiated) const {
  auto& script = contents_[negotiated.protocol];
  if (!script) {
    auto made = std::make_unique<Script>();
    write_content(*made, negotiated, fields_);
    script = std::move(made);
  }
  return *script;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Row> read_index(const std::filesystem::path& folder) {
  const auto index = read_file(folder / "index.tsv");
  const auto lines = split(index, '\n');
  const Columns columns(lines.front());
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (!lines[i].empty()) rows.push_back(row_of(columns, words(lines[i], '\t')));
  return rows;
}

std::string read_message_text(const std::filesystem::path& folder, const Row& row) {
  return read_file(folder / "messages" / row.file);
}

std::vector<Mail> read_corpus(const std::filesystem::path& folder, const std::string& group) {
  std::vector<Mail> mails;
  for (auto& row : read_index(folder)) {
    if (!group.empty() && row.group != group) continue;
    const auto text = read_message_text(folder, row);
    mails.emplace_back(std::move(row), text);
  }
  if (mails.empty()) throw std::runtime_error("no messages in " + folder.string());
  return mails;
}

}  // namespace sesame::bench

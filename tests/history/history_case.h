// Rows, files and stores for what keeps and reads the history.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "history/history.h"
#include "history/reader.h"
#include "history/store.h"
#include "util/clock.h"

namespace sesame::test {

inline constexpr std::int64_t kStart = 1767225600;  // 2026-01-01T00:00:00Z
inline constexpr std::int64_t kSecond = 1'000'000;  // in microseconds

// A directory of its own.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sesame-history-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data()) ? pattern : "";
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class HistoryClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(1'000'000 + passed_.load()));
  }
  std::int64_t unix_now() const override { return kStart + passed_; }
  void pass(std::int64_t seconds) { passed_ += seconds; }

 private:
  std::atomic<std::int64_t> passed_{0};
};

// As many octets, and as alike, as what a message of every day has to tell.
inline std::string story_of(std::int64_t n) {
  std::string story = fmt::format(
      R"({{"time":"2026-01-01T00:00:00Z","queue_id":"4dXy{0:x}","direction":"outbound","client":{{"ip":"192.0.2.{1}",)"
      R"("helo":"host{0}.example.com"}},"mail_from":"bounce-{0}@example.com","from":"news@example.com","message_id":)"
      R"("<{0:08x}.{2:08x}@example.com>","verdict":"pass","dkim":[{{"domain":"example.com","selector":"s{1}",)"
      R"("result":"pass","algorithm":"rsa-sha256","bits":2048}}],"spf":{{"result":"pass","domain":"example.com"}},)"
      R"("dmarc":{{"policy":"reject","result":"pass","adkim":"r","aspf":"r"}},"records":[)",
      n, n % 250, n * 2654435761 % 4294967291);
  for (int i = 0; i < 9; ++i)
    story += fmt::format(
        R"({}{{"name":"{:08x}{}._domainkey.example.com","type":"TXT","status":"found","secure":false,"ttl":{},)"
        R"("took_us":{},"values":["v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{:016x}{:016x}"]}})",
        i == 0 ? "" : ",", n, i, 300 + n % 7 * 60, n * 7919 % 100'000,
        static_cast<std::uint64_t>(n) * 6364136223846793005u, static_cast<std::uint64_t>(n + i) * 1442695040888963407u);
  return story + "]}";
}

inline history::Row row_of(std::int64_t n) {
  history::Row row;
  row.origin = "00000000000000aa";
  row.sequence = n;
  row.time = kStart * kSecond + n;
  row.host = "mx1.example.com";
  row.queue_id = fmt::format("4dXy{:x}", n);
  row.direction = "outbound";
  row.from_domain = "example.com";
  row.mail_from = fmt::format("bounce-{}@example.com", n);
  row.message_id = fmt::format("<{:08x}@example.com>", n);
  row.client = "192.0.2.7";
  row.verdict = "pass";
  row.alignment = history::Alignment::both;
  row.action = "observed";
  row.codes = "spf-softfail-all,key-short";
  row.account = "111122223333";
  row.region = "eu-central-1";
  row.identity = "example.com";
  row.why = "example.com is verified and signs with its own key, which receivers find";
  row.waited_us = 1200;
  row.took_us = 34'000;
  row.story = story_of(n);
  return row;
}

inline std::vector<history::Row> rows_of(std::int64_t first, std::int64_t count) {
  std::vector<history::Row> rows;
  for (auto n = first; n < first + count; ++n) rows.push_back(row_of(n));
  return rows;
}

template <class T>
void expect_done(const Result<T>& done) {
  EXPECT_TRUE(done) << (done ? "" : done.error().message);
}

// The first cell of the only row.
inline std::int64_t number_in(const std::string& path, std::string_view sql,
                              const std::vector<history::Parameter>& parameters = {}) {
  std::int64_t number = -1;
  auto reader = history::open_reader(path);
  expect_done(reader);
  if (reader)
    expect_done((*reader)->ask(sql, parameters, [&](const history::Cells& cells) { number = cells.number(0); }));
  return number;
}

inline std::vector<std::int64_t> sequences_in(const std::string& path) {
  std::vector<std::int64_t> sequences;
  auto reader = history::open_reader(path);
  expect_done(reader);
  if (reader)
    expect_done((*reader)->ask("SELECT sequence FROM sesame_message ORDER BY time, sequence", {},
                               [&](const history::Cells& cells) { sequences.push_back(cells.number(0)); }));
  return sequences;
}

// A history of its own.
struct Kept {
  Scratch scratch;
  std::string path = scratch.file("history.sqlite");
  std::unique_ptr<history::Store> store;

  Kept() { open(); }
  void open() {
    auto opened = history::open_sqlite_store(path);
    expect_done(opened);
    if (opened) store = std::move(*opened);
  }
  void write(const std::vector<history::Row>& rows) { expect_done(store->write(rows)); }
  std::int64_t messages() const { return number_in(path, "SELECT count(*) FROM sesame_message"); }
  std::int64_t counted() const { return number_in(path, "SELECT coalesce(sum(messages), 0) FROM sesame_hour"); }
};

}  // namespace sesame::test

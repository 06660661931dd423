#include "history/recorder_outlet.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace sesame::history {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::int64_t kMicro = 1'000'000;
constexpr std::size_t kBatch = 500;          // rows of one transaction
constexpr std::uint64_t kPruneAfter = 1000;  // rows, where the size of the store is ours to bound
constexpr seconds kPruneEvery{60}, kTellEvery{600};

std::size_t octets_of(const Row& row) {
  return sizeof(Row) + row.story.size() + row.why.size() + row.codes.size() + row.message_id.size() +
         row.mail_from.size();
}

}  // namespace

Openers openers_for(const Options& options, const std::shared_ptr<const sqlite::Patience>& patience) {
  return {[=]() -> Result<std::unique_ptr<Store>> {
            return is_postgresql(options.store) ? open_postgres_store(options.store)
                                                : open_sqlite_store(options.store, patience);
          },
          [=] { return open_spool(options.spool, patience); }};
}

void Attempts::failed(const std::string& why) {
  const auto now = clock_.steady_now();
  next_ = now + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  const bool begins = trouble_.empty();
  trouble_ = why;
  if (!begins) return;
  since_ = now;
  say_(Loudness::warning, fmt::format("{}: {}", words_.begins, why));
}

void Attempts::worked() {
  pause_ = kFirstPause;
  next_ = {};
  if (trouble_.empty()) return;
  trouble_.clear();
  say_(Loudness::info,
       fmt::format("{}, after {} s", words_.over, duration_cast<seconds>(clock_.steady_now() - since_).count()));
}

Outlet::Outlet(Options options, Openers openers, const Clock& clock, const Say& say)
    : options_(std::move(options)),
      openers_(std::move(openers)),
      clock_(clock),
      say_(say),
      storing_(clock, say, {"rows cannot be written, and wait", "rows are written again"}),
      spooling_(clock, say, {"the spool cannot be used", "the spool can be used again"}),
      forgetting_(clock, say, {"old rows cannot be forgotten", "old rows are forgotten again"}) {}

void Outlet::take(Row row) {
  octets_ += octets_of(row);
  rows_.push_back(std::move(row));
}

void Outlet::lose(std::uint64_t rows, std::string why) {
  if (rows == 0) return;
  lost_ += rows;
  untold_ += rows;
  why_lost_ = std::move(why);
}

void Outlet::drop_first(std::size_t rows) {
  const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(rows);
  std::for_each(rows_.begin(), end, [this](const Row& row) { octets_ -= octets_of(row); });
  rows_.erase(rows_.begin(), end);
}

void Outlet::work(Haste haste) {
  // Rows may wait there since an earlier run.
  std::error_code ignored;
  if (!std::exchange(looked_, true) && spools() && std::filesystem::exists(options_.spool, ignored))
    (void)spool_ready(Haste::now);
  // At the end first to where it is safe: a server that says nothing would take all the time there is.
  if (haste == Haste::now && spools() && !rows_.empty() && spool_ready(haste)) spool_waiting();
  const bool up = ready(haste);
  // What an unusable spool holds comes later; what is new does not wait for it.
  if (!spooling_.trouble().empty()) (void)spool_ready(haste);
  if (up && (spooled_ == 0 || !spool_)) write_waiting();
  if (spools() && !rows_.empty() && spool_ready(haste)) spool_waiting();
  if (store_ && spooled_ > 0 && spool_ready(haste)) send_spooled();
  if (store_) prune();
  tell_losses();
}

bool Outlet::has_more() const {
  return store_ && (more_to_forget_ || (spool_ && spooled_ > 0) || !rows_.empty());
}

bool Outlet::ready(Haste haste) {
  if (store_) return true;
  if (haste == Haste::by_the_clock && !storing_.due()) return false;
  auto opened = openers_.store();
  if (!opened) {
    store_failed(opened.error());
    return false;
  }
  store_ = std::move(*opened);
  // Where something waits, only its being written shows that all is well.
  if (rows_.empty() && spooled_ == 0) storing_.worked();
  return true;
}

bool Outlet::spool_ready(Haste haste) {
  if (spool_) return true;
  if (haste == Haste::by_the_clock && !spooling_.due()) return false;
  auto opened = openers_.spool();
  if (!opened) {
    spool_failed(opened.error());
    return false;
  }
  const auto size = (*opened)->size();
  if (!size) {
    spool_failed(size.error());
    return false;
  }
  spool_ = std::move(*opened);
  spooled_ = *size;
  if (rows_.empty()) spooling_.worked();
  note_oldest();
  return spool_ != nullptr;
}

void Outlet::store_failed(const Error& error) {
  store_.reset();
  storing_.failed(error.message);
}

void Outlet::spool_failed(const Error& error) {
  spool_.reset();
  spooling_.failed(error.message);
}

void Outlet::write_waiting() {
  while (!rows_.empty()) {
    const auto batch = std::min(rows_.size(), kBatch);
    if (auto done = store_->write({rows_.data(), batch}); !done) return store_failed(done.error());
    drop_first(batch);
    kept_ += batch;
    written_ += batch;
    take_note_of_refused();
    storing_.worked();
  }
}

void Outlet::take_note_of_refused() {
  auto refused = store_->take_refused();
  kept_ -= std::min<std::uint64_t>(kept_, refused.rows);
  lose(refused.rows, "the store refuses them: " + refused.why);
}

void Outlet::spool_waiting() {
  const auto added = spool_->add(rows_);
  if (!added) return spool_failed(added.error());
  spooled_ += rows_.size();
  drop_first(rows_.size());
  spooling_.worked();
  if (options_.max_size > 0) {
    const auto gone = spool_->shrink(options_.max_size);
    if (!gone) return spool_failed(gone.error());
    spooled_ -= std::min(spooled_, *gone);
    lose(*gone, "the spool has grown to its limit");
  }
  note_oldest();
}

// Written before it is removed: what is written twice counts once.
void Outlet::send_spooled() {
  const auto rows = spool_->oldest(kBatch);
  if (!rows) return spool_failed(rows.error());
  if (rows->empty()) {
    spooled_ = 0;
  } else {
    if (auto done = store_->write(*rows); !done) return store_failed(done.error());
    kept_ += rows->size();
    written_ += rows->size();
    take_note_of_refused();
    storing_.worked();
    if (auto done = spool_->remove(*rows); !done) return spool_failed(done.error());
    spooled_ -= std::min<std::uint64_t>(spooled_, rows->size());
  }
  note_oldest();
}

void Outlet::note_oldest() {
  oldest_spooled_ = 0;
  if (spooled_ == 0) return;
  const auto oldest = spool_->oldest(1);
  if (!oldest) return spool_failed(oldest.error());
  if (!oldest->empty()) oldest_spooled_ = oldest->front().time;
}

void Outlet::prune() {
  // A database that hosts share is as large as it is.
  const auto max_size = is_postgresql(options_.store) ? 0 : options_.max_size;
  const auto now = clock_.steady_now();
  const bool grown = max_size > 0 && written_ >= kPruneAfter;
  if ((!more_to_forget_ && !grown && now < next_prune_) || !forgetting_.due()) return;
  written_ = 0;
  next_prune_ = now + kPruneEvery;
  const auto before = (clock_.unix_now() - options_.keep.count()) * kMicro;
  const auto more = store_->prune(before, max_size);
  more_to_forget_ = more.value_or(false);
  if (more) {
    forgetting_.worked();
  } else {
    forgetting_.failed(more.error().message);
  }
}

void Outlet::tell_losses() {
  const auto now = clock_.steady_now();
  if (untold_ == 0 || now < next_told_) return;
  next_told_ = now + kTellEvery;
  say_(Loudness::error, fmt::format("{} messages are missing in the history: {}", untold_, why_lost_));
  untold_ = 0;
}

void Outlet::give_up() {
  const auto& trouble = storing_.trouble();
  lose(rows_.size(), trouble.empty() ? "there was no time to write them" : trouble);
  drop_first(rows_.size());
  next_told_ = {};
  tell_losses();
}

Standing Outlet::standing() const {
  Standing standing;
  standing.kept = kept_;
  standing.lost = lost_;
  standing.spooled = spooled_;
  standing.trouble = storing_.trouble();
  if (!spooling_.trouble().empty()) standing.trouble += (standing.trouble.empty() ? "" : "; ") + spooling_.trouble();
  return standing;
}

std::int64_t Outlet::oldest() const {
  if (oldest_spooled_ != 0 || rows_.empty()) return oldest_spooled_;
  return rows_.front().time;
}

}  // namespace sesame::history

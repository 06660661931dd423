#include "sync/sweep.h"

#include <fmt/core.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "ses/snapshot.h"
#include "sync/changes.h"
#include "sync/document.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::sync {
namespace {

constexpr int kMaxPages = 1000;
constexpr const char* kOrigin = "origin";  // of a part of FILE.partial: who answered
constexpr std::int64_t kSaveEvery = 30;    // seconds; what is lost when the host dies

class Sweep {
 public:
  Sweep(const Job& job, SesV2& api, const Clock& clock, const std::function<void(const Progress&)>& progress)
      : job_(job), api_(api), clock_(clock), progress_(progress), partial_path_(job.snapshot + ".partial") {}

  Result<Swept> run() {
    auto snapshot = Document::load(job_.snapshot);
    if (!snapshot) return tl::unexpected(snapshot.error());
    // What cannot be read of an interrupted sweep is fetched again.
    auto partial = Document::load(partial_path_);
    if (!partial) partial = Document::parse(R"({"version": 1, "regions": []})", partial_path_);
    last_saved_ = clock_.unix_now();
    for (const auto& region : job_.regions) {
      const auto done = fetch_region(region, *snapshot, *partial);
      if (done) continue;
      const auto saved = partial->empty() ? Result<void>() : replace_file(partial_path_, partial->text());
      return failure(done.error().message + (saved ? "" : "\n" + saved.error().message));
    }
    return finish(*snapshot, *partial);
  }

 private:
  // Into `partial`, from it where it is young enough, and otherwise from the API.
  Result<void> fetch_region(const std::string& region, const Document& snapshot, Document& partial) {
    auto account = api_.get_account(region);
    if (!account) return tl::unexpected(account.error());
    const auto names = list(region);
    if (!names) return tl::unexpected(names.error());
    Json part{{"account", job_.account}, {"region", region}, {"fetched", timestamp(clock_.unix_now())}};
    part["GetAccount"] = std::move(*account);
    part[kOrigin] = api_.origin();
    const auto* kept = partial.part(job_.account, region);
    // What other keys fetched may be of another account.
    if (kept && text_of(*kept, kOrigin) != api_.origin()) kept = nullptr;
    std::vector<std::string> missing;
    part["identities"] = keep(*names, kept, missing);
    swept_.regions.push_back({.region = region, .kept = part["identities"].size()});
    partial.put(std::move(part));
    return fetch(region, missing, identities_by_name(before(snapshot, region)), partial);
  }

  // What the snapshot has of the account and region so far; null when that is nothing.
  const Json* before(const Document& snapshot, const std::string& region) const {
    const auto* part = snapshot.part(job_.account, region);
    return part || !job_.takes_nameless ? part : snapshot.part("", region);
  }

  Result<std::vector<std::string>> list(const std::string& region) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    std::string next;
    for (int pages = 0; pages < kMaxPages; ++pages) {
      auto page = api_.list_identities(region, next);
      if (!page) return tl::unexpected(page.error());
      for (auto& name : page->names)
        if (seen.insert(name).second) names.push_back(std::move(name));
      if (page->nameless)
        swept_.remarks.push_back(
            fmt::format("{}: {} identities in the list have no IdentityName", region, page->nameless));
      if (page->next.empty()) return names;
      if (page->next == next) break;
      next = std::move(page->next);
    }
    return failure(fmt::format("ListEmailIdentities in {}: the list does not end", region));
  }

  // The identities that an interrupted sweep fetched not long ago; the others' names go to `missing`.
  Json keep(const std::vector<std::string>& names, const Json* part, std::vector<std::string>& missing) const {
    const auto now = clock_.unix_now();
    const auto known = identities_by_name(part);
    Json kept = Json::array();
    for (const auto& name : names) {
      const auto found = known.find(name);
      const auto fetched = found == known.end() ? std::nullopt : parse_timestamp(text_of(*found->second, "fetched"));
      if (fetched && *fetched <= now && now < *fetched + job_.max_age)
        kept.push_back(*found->second);
      else
        missing.push_back(name);
    }
    return kept;
  }

  Result<void> fetch(const std::string& region, const std::vector<std::string>& missing, const ByName& before,
                     Document& partial) {
    const auto kept = swept_.regions.back().kept;
    Progress progress{.region = region, .done = kept, .total = kept + missing.size()};
    for (const auto& name : missing) {
      progress_(progress);
      auto answer = api_.get_identity(region, name);
      if (!answer) return tl::unexpected(answer.error());
      ++progress.done;
      // Deleted since the list was made.
      if (!*answer) continue;
      const auto old = before.find(name);
      partial.identities(job_.account, region)
          .push_back(
              make_identity(name, std::move(**answer), old == before.end() ? nullptr : old->second, clock_.unix_now()));
      if (const auto saved = save_sometimes(partial); !saved) return saved;
    }
    progress_(progress);
    swept_.regions.back().identities = partial.identities(job_.account, region).size();
    return {};
  }

  Result<void> save_sometimes(const Document& partial) {
    if (clock_.unix_now() < last_saved_ + kSaveEvery) return {};
    last_saved_ = clock_.unix_now();
    return replace_file(partial_path_, partial.text());
  }

  Result<Swept> finish(Document& snapshot, Document& partial) {
    for (const auto& region : job_.regions) {
      auto part = *partial.part(job_.account, region);
      part.erase(std::string(kOrigin));
      for (auto& change : changes_between(before(snapshot, region), part)) swept_.changes.push_back(std::move(change));
      snapshot.put(std::move(part));
      partial.drop(job_.account, region);
      if (!job_.takes_nameless) continue;
      snapshot.drop("", region);
      partial.drop("", region);
    }
    const auto text = snapshot.text();
    // What the daemon could not read must not take the place of what it can.
    const auto parsed = ses::parse_snapshot(text, job_.snapshot);
    if (!parsed) return failure("what was fetched makes no snapshot: " + parsed.error().message);
    swept_.remarks.insert(swept_.remarks.end(), parsed->remarks.begin(), parsed->remarks.end());
    if (const auto replaced = replace_file(job_.snapshot, text); !replaced) return tl::unexpected(replaced.error());
    if (partial.empty())
      unlink(partial_path_.c_str());
    else if (const auto saved = replace_file(partial_path_, partial.text()); !saved)
      swept_.remarks.push_back(saved.error().message);
    return std::move(swept_);
  }

  const Job& job_;
  SesV2& api_;
  const Clock& clock_;
  const std::function<void(const Progress&)>& progress_;
  std::string partial_path_;
  std::int64_t last_saved_ = 0;
  Swept swept_;
};

}  // namespace

Result<Swept> sweep(const Job& job, SesV2& api, const Clock& clock,
                    const std::function<void(const Progress&)>& progress) {
  return Sweep(job, api, clock, progress).run();
}

}  // namespace sesame::sync

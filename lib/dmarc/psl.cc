#include <fmt/format.h>
#include <libpsl.h>
#include <sys/stat.h>

#include <algorithm>

#include "dmarc/dmarc.h"
#include "util/content_cache.h"
#include "util/text.h"

namespace sesame::dmarc {

struct PublicSuffixList::Impl {
  Impl(psl_ctx_t* list, std::int64_t time) : context(list, psl_free), as_of(time) {}
  std::unique_ptr<psl_ctx_t, decltype(&psl_free)> context;
  std::string organizational_domain(std::string_view name) const {
    std::string text(name);
    if (!context) return text;
    // Points into `text`; null for a public suffix.
    const char* domain = psl_registrable_domain(context.get(), text.c_str());
    return domain ? std::string(domain) : text;
  }

  const std::int64_t as_of;
  // libpsl searches its list for each label of a name. The names are the same few again and again.
  mutable ContentCache<std::string> known{1 << 20, [](const std::string& domain) { return domain.capacity(); }};
};

namespace {

std::int64_t time_of(const char* path) {
  struct stat found {};
  return ::stat(path, &found) == 0 ? found.st_mtime : 0;
}

}  // namespace

PublicSuffixList::PublicSuffixList(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PublicSuffixList::~PublicSuffixList() = default;

std::shared_ptr<const PublicSuffixList> PublicSuffixList::system() {
  static const std::shared_ptr<const PublicSuffixList> list(new PublicSuffixList(std::make_unique<Impl>(
      psl_latest(nullptr), std::max<std::int64_t>(psl_builtin_file_time(), time_of(psl_dist_filename())))));
  return list;
}

sesame::Result<std::shared_ptr<const PublicSuffixList>> PublicSuffixList::from_file(const std::string& path) {
  auto impl = std::make_unique<Impl>(psl_load_file(path.c_str()), time_of(path.c_str()));
  if (!impl->context) return failure(fmt::format("{}: cannot be read as a public suffix list", printable(path)));
  // libpsl reads any file at all, and of one that is no list it keeps nothing.
  if (psl_suffix_count(impl->context.get()) == 0)
    return failure(fmt::format("{}: has no public suffixes", printable(path)));
  return std::shared_ptr<const PublicSuffixList>(new PublicSuffixList(std::move(impl)));
}

std::string PublicSuffixList::organizational_domain(std::string_view name) const {
  return *impl_->known.get(name, [this](std::string_view text) { return impl_->organizational_domain(text); });
}

std::int64_t PublicSuffixList::as_of() const {
  return impl_->as_of;
}

}  // namespace sesame::dmarc

#include <fmt/format.h>
#include <libpsl.h>

#include "dmarc/dmarc.h"
#include "util/text.h"

namespace sesame::dmarc {

struct PublicSuffixList::Impl {
  explicit Impl(psl_ctx_t* list) : context(list, psl_free) {}
  std::unique_ptr<psl_ctx_t, decltype(&psl_free)> context;
};

PublicSuffixList::PublicSuffixList(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PublicSuffixList::~PublicSuffixList() = default;

std::shared_ptr<const PublicSuffixList> PublicSuffixList::system() {
  static const std::shared_ptr<const PublicSuffixList> list(
      new PublicSuffixList(std::make_unique<Impl>(psl_latest(nullptr))));
  return list;
}

sesame::Result<std::shared_ptr<const PublicSuffixList>> PublicSuffixList::from_file(const std::string& path) {
  auto impl = std::make_unique<Impl>(psl_load_file(path.c_str()));
  if (!impl->context) return failure(fmt::format("{}: cannot be read as a public suffix list", printable(path)));
  // libpsl reads any file at all, and of one that is no list it keeps nothing.
  if (psl_suffix_count(impl->context.get()) == 0)
    return failure(fmt::format("{}: has no public suffixes", printable(path)));
  return std::shared_ptr<const PublicSuffixList>(new PublicSuffixList(std::move(impl)));
}

std::string PublicSuffixList::organizational_domain(std::string_view name) const {
  std::string text(name);
  if (!impl_->context) return text;
  // Points into `text`; null for a public suffix.
  const char* domain = psl_registrable_domain(impl_->context.get(), text.c_str());
  return domain ? std::string(domain) : text;
}

}  // namespace sesame::dmarc

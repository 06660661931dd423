#include "inspect/record.h"

#include <utility>

namespace sesame::inspect {
namespace {

class Judged final : public history::Source {
 public:
  Judged(policy::Report report, policy::Decision decision, const Took& took, std::int64_t time_us)
      : report_(std::move(report)), decision_(std::move(decision)), took_(took), time_us_(time_us) {}
  history::Row row() const override { return {}; }

 private:
  policy::Report report_;
  policy::Decision decision_;
  Took took_;
  std::int64_t time_us_;
};

}  // namespace

std::unique_ptr<const history::Source> record_of(policy::Report report, policy::Decision decision, const Took& took,
                                                 std::int64_t time_us) {
  return std::make_unique<Judged>(std::move(report), std::move(decision), took, time_us);
}

}  // namespace sesame::inspect

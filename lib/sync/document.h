// The snapshot file as JSON (its format: ses/snapshot.h), so that what is not understood here is kept. Internal to this
// folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sync/json.h"
#include "util/result.h"

namespace sesame::sync {

class Document {
 public:
  // An empty one when there is no such file.
  static Result<Document> load(const std::string& path);
  static Result<Document> parse(std::string_view text, const std::string& name);

  // What it holds of an account and region; null when that is nothing.
  const Json* part(const std::string& account, const std::string& region) const;
  // The identities of a part that there is.
  Json& identities(const std::string& account, const std::string& region);
  // Stands in for what there was of the same account and region.
  void put(Json part);
  void drop(const std::string& account, const std::string& region);
  bool empty() const { return root_["regions"].empty(); }
  std::string text() const;

 private:
  Document();
  Json root_;
};

// The members "identities" of a part by name; those that have none are passed over.
using ByName = std::map<std::string, const Json*>;
ByName identities_by_name(const Json* part);

// A member that is an object, or null.
const Json* object_in(const Json& object, const char* member);

// An identity as the snapshot has it: the answer, and what is remembered of the one before (null = there was none).
Json make_identity(const std::string& name, Json answer, const Json* before, std::int64_t now);

}  // namespace sesame::sync

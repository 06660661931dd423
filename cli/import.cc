// sesame import: the settings of the filters that Sesame takes the place of.
#include "import.h"

#include <filesystem>

#include "command.h"
#include "config/config.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

using importer::Draft;
using importer::Remark;
using importer::Source;
using importer::Statement;

void carry(Draft& draft, const Source& source, const Statement& statement) {
  const auto* rule = importer::find_rule(source.owner, statement.key);
  if (!rule)
    draft.remark(Remark::Kind::fault, statement, std::string("is no setting of ") + to_string(source.owner));
  else if (!rule->carry)
    draft.remark(Remark::Kind::missing, statement, rule->why);
  else if (!statement.value.empty())
    rule->carry(draft, statement);
}

std::string toml_of(const std::vector<Source>& sources) {
  Draft draft;
  for (const auto& source : sources) {
    for (const auto& remark : source.remarks) draft.remark(remark);
    for (const auto& statement : source.statements) carry(draft, source, statement);
  }
  carry_policyd_id(draft, sources);
  carry_hosts(draft, sources);
  return draft.toml(sources);
}

// A file that stands there may hold what cannot be had again.
int write(const std::string& path, const std::string& text) {
  std::error_code error;
  if (std::filesystem::symlink_status(path, error).type() != std::filesystem::file_type::not_found)
    return complain(path + ": is there already; name another file, or move it away", kUsage);
  if (const auto done = replace_file(path, text); !done) return complain(done.error().message, kUsage);
  return answer(path + ": written; what is not carried over stands at its end", kFine);
}

}  // namespace

int run_import(const Common& /*common*/, const ImportArguments& arguments) {
  std::vector<Source> sources;
  for (const auto& file : arguments.files) {
    auto source = importer::read_source(file);
    if (!source) return complain("import: " + source.error().message, kUsage);
    sources.push_back(std::move(*source));
  }
  const auto text = toml_of(sources);
  if (const auto config = config::parse(text, "the settings found"); !config)
    return complain("import: " + config.error().message, kUsage);
  return arguments.output.empty() ? answer(text, kFine) : write(arguments.output, text);
}

}  // namespace sesame::cli

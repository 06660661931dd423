#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ses/diagnose.h"

namespace sesame::ses {
namespace {

TEST(Findings, TheDocumentIsWhatTheTableSays) {
  const std::string path = SESAME_SOURCE_DIR "/contrib/doc/findings.md";
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  if (found.str() != findings_text()) std::ofstream(SESAME_BINARY_DIR "/findings.md") << findings_text();
  EXPECT_EQ(found.str(), findings_text()) << "the right text is in " SESAME_BINARY_DIR "/findings.md";
}

}  // namespace
}  // namespace sesame::ses

// Preloaded into Sendmail, which at its start waits a minute where the name of the host has no domain.
#include <cstddef>
#include <cstdlib>
#include <cstring>

extern "C" int gethostname(char* name, std::size_t size) {
  const char* wanted = std::getenv("SENDMAIL_TEST_HOSTNAME");
  std::strncpy(name, wanted ? wanted : "localhost.localdomain", size);
  return 0;
}

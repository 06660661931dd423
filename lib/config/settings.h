// Every setting, once: key, type, default, help. The loader, `sesame config print`, conf/sesame.toml and the man page
// sesame.toml(5) all come from this table.
#pragma once

#include <string>

namespace sesame::config {

// The annotated sample, conf/sesame.toml: every setting with its help, commented out at its default.
std::string sample_text();
// The SETTINGS section of sesame.toml(5), in man(7) markup.
std::string man_text();

struct Config;
// The configuration in force as TOML that load() reads back to the same value.
std::string print(const Config& config);

}  // namespace sesame::config

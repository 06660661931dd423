// The files of milter/dashboard, put into the program when it is built (contrib/cmake/Embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace sesame::milter {

struct DashboardFile {
  std::string_view name;  // "index.html"
  const char* type;       // "text/html; charset=utf-8"
  std::string_view contents;
};
std::span<const DashboardFile> dashboard_files();

}  // namespace sesame::milter

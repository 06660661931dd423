#include "milter/metrics_process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "util/text.h"

namespace sesame::milter {
namespace {

std::string line_of(const char* path, std::string_view start = "") {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with(start)) return line;
  return "";
}

// proc(5): of /proc/self/stat from the third field on, as the second may hold anything, and of a line of numbers.
std::uint64_t number(const std::vector<std::string_view>& fields, std::size_t index) {
  return index < fields.size() ? parse_number(fields[index]).value_or(0) : 0;
}

}  // namespace

ProcessFigures process_figures() {
  constexpr std::size_t kUser = 11, kSystem = 12, kStart = 19, kVirtual = 20, kResident = 21;
  ProcessFigures figures;
  const auto stat = line_of("/proc/self/stat");
  const auto end = stat.rfind(") ");
  const auto fields = split(end == stat.npos ? std::string_view() : std::string_view(stat).substr(end + 2), ' ');
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto boot = line_of("/proc/stat", "btime ");
  if (boot.size() > 6)
    figures.start_time = static_cast<double>(parse_number(std::string_view(boot).substr(6)).value_or(0)) +
                         static_cast<double>(number(fields, kStart)) / ticks;
  figures.cpu_seconds = static_cast<double>(number(fields, kUser) + number(fields, kSystem)) / ticks;
  figures.virtual_bytes = number(fields, kVirtual);
  figures.resident_bytes = number(fields, kResident) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::error_code error;
  for (auto each = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && each != std::filesystem::directory_iterator(); each.increment(error))
    ++figures.open_fds;
  // The one the directory was read through.
  if (figures.open_fds > 0) --figures.open_fds;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  return figures;
}

}  // namespace sesame::milter

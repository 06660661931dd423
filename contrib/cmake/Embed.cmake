# cmake -D FROM=FOLDER -D FILES="a;b" -D TO=FILE.cc -P Embed.cmake
# Writes the source that gives the contents of these files (milter/dashboard_files.h).

set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_svg "image/svg+xml")

set(arrays "")
set(table "")
foreach(name ${FILES})
  string(REGEX REPLACE ".*\\." "" kind ${name})
  string(MAKE_C_IDENTIFIER ${name} symbol)
  file(READ ${FROM}/${name} hex HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," octets "${hex}")
  string(REGEX REPLACE "((......,?){1,20})" "\\1\n" octets "${octets}")
  string(APPEND arrays "constexpr char ${symbol}[] = {${octets}};\n")
  string(APPEND table "    {\"${name}\", \"${types_${kind}}\", {${symbol}, sizeof ${symbol}}},\n")
endforeach()
file(WRITE ${TO} "#include \"milter/dashboard_files.h\"

namespace sesame::milter {
namespace {

${arrays}
constexpr DashboardFile kFiles[] = {
${table}};

}  // namespace

std::span<const DashboardFile> dashboard_files() {
  return kFiles;
}

}  // namespace sesame::milter
")

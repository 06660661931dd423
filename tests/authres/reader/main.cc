// What lib/authres makes of fields, for programs that compare it with other readers. Each line is a question in JSON,
// and is answered with one; strings are octets in base64, since neither side may mend them on the way.
//   {"write": [id, [[method, version, result, reason, comment, [[ptype, property, value]]]]]} -> the field's value
//   {"read": value}                 -> the same as was written, or {"error": text}
//   {"claims": value, "ids": [id]}  -> true or false
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "authres/authres.h"
#include "util/base64.h"

namespace {

using nlohmann::json;
using namespace sesame;

std::string octets(const json& text) {
  const auto decoded = base64_decode(text.get<std::string>());
  if (!decoded) std::exit(EXIT_FAILURE);
  return {decoded->begin(), decoded->end()};
}

json carried(const std::string& text) {
  return base64_encode(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

authres::Header to_header(const json& parts) {
  authres::Header header{octets(parts.at(0)), {}};
  for (const auto& part : parts.at(1)) {
    authres::Statement statement{octets(part.at(0)), octets(part.at(2)), octets(part.at(3)), octets(part.at(4)), {}};
    statement.version = part.at(1).get<std::uint32_t>();
    for (const auto& property : part.at(5))
      statement.properties.push_back({octets(property.at(0)), octets(property.at(1)), octets(property.at(2))});
    header.statements.push_back(std::move(statement));
  }
  return header;
}

json to_parts(const authres::Header& header) {
  json statements = json::array();
  for (const auto& s : header.statements) {
    json properties = json::array();
    for (const auto& p : s.properties) properties.push_back({carried(p.type), carried(p.name), carried(p.value)});
    statements.push_back({carried(s.method), s.version, carried(s.result), carried(s.reason), carried(s.comment),
                          std::move(properties)});
  }
  return {carried(header.authserv_id), std::move(statements)};
}

json answer(const json& question) {
  if (question.contains("write")) return carried(authres::write(to_header(question.at("write"))));
  if (question.contains("read")) {
    const auto header = authres::parse(octets(question.at("read")));
    return header ? to_parts(*header) : json{{"error", header.error().message}};
  }
  std::vector<std::string> ids;
  for (const auto& id : question.at("ids")) ids.push_back(octets(id));
  return authres::claims({"Authentication-Results", octets(question.at("claims"))}, ids);
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) std::cout << answer(json::parse(line)) << std::endl;
}

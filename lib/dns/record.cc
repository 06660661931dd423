#include "dns/record.h"

namespace sesame::dns {

const char* to_string(Type type) {
  switch (type) {
    case Type::a: return "A";
    case Type::ns: return "NS";
    case Type::cname: return "CNAME";
    case Type::soa: return "SOA";
    case Type::ptr: return "PTR";
    case Type::mx: return "MX";
    case Type::txt: return "TXT";
    case Type::aaaa: return "AAAA";
  }
  return "?";
}

const char* to_string(Status status) {
  switch (status) {
    case Status::ok: return "NOERROR";
    case Status::nodata: return "NODATA";
    case Status::nxdomain: return "NXDOMAIN";
    case Status::servfail: return "SERVFAIL";
    case Status::refused: return "REFUSED";
    case Status::formerr: return "FORMERR";
    case Status::notimp: return "NOTIMP";
    case Status::timeout: return "no answer";
    case Status::malformed: return "malformed answer";
    case Status::cname_limit: return "CNAME chain too long";
  }
  return "?";
}

Answer bare_answer(const std::string& name, Type type, Status status) {
  Answer answer;
  answer.name = name;
  answer.type = type;
  answer.status = status;
  return answer;
}

std::string status_text(const Answer& answer) {
  return std::string(answer.stale ? "only a stale " : "") + to_string(answer.status);
}

std::vector<std::string> data_of(const Answer& answer) {
  auto data = answer.texts;
  for (const auto& address : answer.addresses) data.push_back(address.to_string());
  for (const auto& mx : answer.exchanges) data.push_back(std::to_string(mx.preference) + ' ' + mx.host);
  data.insert(data.end(), answer.names.begin(), answer.names.end());
  return data;
}

}  // namespace sesame::dns

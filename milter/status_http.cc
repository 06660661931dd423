#include "milter/status_http.h"

#include <httplib.h>

#include <algorithm>

#include "util/text.h"

namespace sesame::milter {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";

// The head of one request to read, and its answer as it is written.
class Memory final : public httplib::Stream {
 public:
  explicit Memory(std::string head) : head_(std::move(head)) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const auto got = std::min(size, head_.size() - read_);
    std::copy_n(head_.data() + read_, got, to);
    read_ += got;
    return static_cast<ssize_t>(got);
  }
  ssize_t write(const char* octets, std::size_t size) override {
    written.append(octets, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  // Nothing reads from it or writes to it.
  socket_t socket() const override { return 0; }

  std::string written;

 private:
  std::string head_;
  std::size_t read_ = 0;
};

// Of the fields of a request the library is given those alone that it should act upon: no ranges, no bodies, and no
// compression but the quick one.
std::string essence(const RequestHead& head) {
  auto text = std::string(head.line) + "\r\n";
  if (const auto connection = head.only("Connection"); connection && iequals(*connection, "close"))
    text += "Connection: close\r\n";
  if (const auto coding = head.only("Accept-Encoding"); coding && lower(*coding).find("gzip") != std::string::npos)
    text += "Accept-Encoding: gzip\r\n";
  return text + "\r\n";
}

bool is_read_only(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

}  // namespace

// One request and its answer, through the library without its sockets.
class Exchange : private httplib::Server {
 public:
  Exchange(const StatusHttp& http, const RequestHead& head) {
    set_default_headers(
        {{"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
         {"Cross-Origin-Resource-Policy", "same-origin"},
         {"X-Content-Type-Options", "nosniff"},
         {"Referrer-Policy", "no-referrer"},
         {"Cache-Control", "no-store"}});
    set_keep_alive_max_count(100);
    set_pre_routing_handler([&http, &head](const httplib::Request& request, httplib::Response& response) {
      std::map<std::string, std::string> query;
      for (const auto& [name, value] : request.params) query[name] = value;
      const auto reply = http.reply(head, request.method, request.path, query);
      response.status = reply.status;
      if (reply.status == 401) response.set_header("WWW-Authenticate", "Basic realm=\"sesame\", charset=\"UTF-8\"");
      if (reply.status == 405) response.set_header("Allow", "GET, HEAD");
      response.set_content(reply.body, reply.type);
      return HandlerResponse::Handled;
    });
    set_exception_handler([](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
      response.status = 500;
      response.set_content("failed\n", kText);
    });
  }

  StatusServer::Answer run(std::string head, bool close) {
    Memory stream(std::move(head));
    bool understood = false;
    bool closed = false;
    const bool done = process_request(stream, close, closed, [&](httplib::Request&) { understood = true; });
    const bool over = !done || !understood || close || closed;
    return {std::move(stream.written), over ? StatusServer::Answer::Then::close : StatusServer::Answer::Then::keep};
  }
};

void StatusHttp::set_access(Access access) {
  access_.with([&](Access& current) { current = std::move(access); });
}

StatusServer::Answer StatusHttp::answer(std::string_view text) const noexcept {
  try {
    const auto head = parse_head(text);
    if (!head)
      return {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
              StatusServer::Answer::Then::close};
    // A body is not read, so nothing can follow it.
    const bool body = head->has("Content-Length") || head->has("Transfer-Encoding");
    const bool close = body || !is_read_only(head->line.substr(0, head->line.find(' ')));
    return Exchange(*this, *head).run(essence(*head), close);
  } catch (...) {
    return {};
  }
}

Reply StatusHttp::reply(const RequestHead& head, std::string_view method, std::string_view path,
                        const std::map<std::string, std::string>& query) const {
  if (!is_read_only(method)) return {405, kText, "GET and HEAD only\n"};
  if (path == "/healthz") {
    if (pages_.is_draining()) return {503, kText, "stopping\n"};
    return {200, kText, "ok\n"};
  }
  switch (admit(head, access_.with([](const Access& access) { return access; }))) {
    case Admission::wrong_host:
      return {403, kText, "ask for the address itself, or for localhost\n"};
    case Admission::unknown_client:
      return {401, kText, "see status.token_file\n"};
    case Admission::granted:
      break;
  }
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", pages_.metrics()};
  return pages_.others(path, query);
}

}  // namespace sesame::milter

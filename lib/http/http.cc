#include "http/http.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "http/sigv4.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::http {
namespace {

// libcurl signs the path as it stands in the URL. SES, as all of AWS but S3, wants the path signed that comes of
// encoding the one on the wire once more; from this release on libcurl does that itself.
constexpr unsigned kEncodesPath = 0x080e00;
// From here on it signs a "+" in the query as a blank, until it was mended.
constexpr unsigned kMistakesPlus = 0x080e00;
constexpr unsigned kKnowsPlus = 0x081300;

bool mistakes(const Request& request, unsigned version) {
  return version >= kMistakesPlus && version < kKnowsPlus && request.query.find("%2B") != std::string::npos;
}

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  if (auto* longer = curl_slist_append(list.get(), line.c_str())) {
    (void)list.release();
    list.reset(longer);
  }
}

// One transfer, as the callbacks see it.
struct Transfer {
  std::size_t max_answer = 0;
  std::string body{};
  std::string error_type{};
  std::optional<std::uint64_t> retry_after{};
  bool too_large = false;
  const std::atomic<bool>* stop = nullptr;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto bytes = size * count;
  transfer.too_large = bytes > transfer.max_answer - transfer.body.size();
  if (transfer.too_large) return 0;
  transfer.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  const std::string_view line(data, size * count);
  const auto colon = std::min(line.find(':'), line.size());
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(std::min(colon + 1, line.size())));
  auto& transfer = *static_cast<Transfer*>(user);
  if (iequals(name, "x-amzn-errortype")) transfer.error_type = std::string(value);
  // RFC 9110 Section 10.2.3: or a date, which is not heeded.
  if (iequals(name, "retry-after")) transfer.retry_after = parse_number(value);
  return line.size();
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<Transfer*>(user)->stop ? 1 : 0;
}

// Host with port, and what path an endpoint begins with.
std::pair<std::string, std::string> parts_of(const std::string& base) {
  const auto scheme = base.find("://");
  const auto host = scheme == std::string::npos ? 0 : scheme + 3;
  const auto slash = std::min(base.find('/', host), base.size());
  return {base.substr(host, slash - host), base.substr(slash)};
}

// The URL whose path and query are signed, and the target that is asked for where it is another.
struct Target {
  std::string url;
  std::string wire;  // "" = as in the URL
};

Target target_of(const Request& request, unsigned version) {
  const auto query = request.query.empty() ? "" : "?" + request.query;
  if (!request.signature || version >= kEncodesPath || request.path.find('%') == std::string::npos)
    return {request.base + request.path + query, ""};
  std::string twice;
  for (const char c : request.path) twice += c == '%' ? "%25" : std::string(1, c);
  return {request.base + twice + query, parts_of(request.base).second + request.path + query};
}

class CurlClient : public Client {
 public:
  CurlClient(std::unique_ptr<CURL, FreeEasy> easy, const std::atomic<bool>& stop)
      : easy_(std::move(easy)), stop_(stop) {}

  Answer send(const Request& request) override {
    const auto& library = *curl_version_info(CURLVERSION_NOW);
    Transfer transfer{.max_answer = request.max_answer, .stop = &stop_};
    std::array<char, CURL_ERROR_SIZE> trouble{};
    List headers;
    for (const auto& header : request.headers) append(headers, header);
    // What was asked before leaves nothing behind but its connection.
    curl_easy_reset(easy_.get());
    set_limits(request, transfer);
    sign(request, headers, library.version_num);
    const auto target = target_of(request, library.version_num);
    set(CURLOPT_URL, target.url.c_str());
    if (!target.wire.empty()) set(CURLOPT_REQUEST_TARGET, target.wire.c_str());
    if (request.method == Request::Method::put) set(CURLOPT_CUSTOMREQUEST, "PUT");
    if (request.method == Request::Method::post) set_body(request, headers);
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_ERRORBUFFER, trouble.data());
    const auto code = curl_easy_perform(easy_.get());
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    return answer_of(code, trouble.data(), request, std::move(transfer));
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  void set_limits(const Request& request, Transfer& transfer) {
    const auto timeout = static_cast<long>(request.timeout.count());
    set(CURLOPT_TIMEOUT_MS, timeout);
    set(CURLOPT_CONNECTTIMEOUT_MS, std::max(timeout / 3, 1L));
    set(CURLOPT_NOSIGNAL, 1L);
    // A look-up of a name that is given up is left to its thread: no resolver that is silent is waited for.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_USERAGENT, "sesame");
    set(CURLOPT_WRITEFUNCTION, on_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_HEADERFUNCTION, on_header);
    set(CURLOPT_HEADERDATA, &transfer);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, on_progress);
    set(CURLOPT_XFERINFODATA, &transfer);
    if (request.proxy == Request::Proxy::none) set(CURLOPT_PROXY, "");
    const char* bundle = std::getenv("AWS_CA_BUNDLE");
    if (bundle && *bundle) set(CURLOPT_CAINFO, bundle);
  }

  void set_body(const Request& request, List& headers) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    // RFC 9110 Section 10.1.1: nobody needs to be asked first for what is small.
    append(headers, "Expect:");
  }

  void sign(const Request& request, List& headers, unsigned version) {
    if (!request.signature) return;
    const auto& signature = *request.signature;
    // A header given here is signed with the others.
    if (!signature.session_token.empty()) append(headers, "X-Amz-Security-Token: " + signature.session_token);
    if (mistakes(request, version)) {
      const auto [host, prefix] = parts_of(request.base);
      const auto now = system_clock().unix_now();
      for (const auto& header : sign_get(signature, host, prefix + request.path, request.query, now))
        append(headers, header);
      return;
    }
    set(CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:ses", signature.region).c_str());
    set(CURLOPT_USERNAME, signature.key_id.c_str());
    set(CURLOPT_PASSWORD, signature.secret.c_str());
  }

  Answer answer_of(CURLcode code, std::string_view trouble, const Request& request, Transfer transfer) {
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
      return {.status = static_cast<int>(status),
              .body = std::move(transfer.body),
              .error_type = std::move(transfer.error_type),
              .retry_after = transfer.retry_after};
    }
    if (transfer.too_large)
      return {.trouble = fmt::format("the answer is larger than {} bytes", request.max_answer),
              .again = Answer::Again::useless};
    Answer answer{.trouble = printable(trouble.empty() ? curl_easy_strerror(code) : trouble)};
    // A certificate or an address does not become right by asking again.
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE ||
        code == CURLE_UNSUPPORTED_PROTOCOL)
      answer.again = Answer::Again::useless;
    return answer;
  }

  std::unique_ptr<CURL, FreeEasy> easy_;
  const std::atomic<bool>& stop_;
};

}  // namespace

Result<std::unique_ptr<Client>> make_client(const std::atomic<bool>& stop) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return failure("libcurl cannot be initialised");
  std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (!easy) return failure("libcurl cannot be initialised");
  return std::make_unique<CurlClient>(std::move(easy), stop);
}

std::optional<Url> parse_url(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
    return std::nullopt;
  const auto part = [&url](CURLUPart which) {
    char* value = nullptr;
    std::string found;
    if (curl_url_get(url.get(), which, &value, 0) == CURLUE_OK && value) found = value;
    curl_free(value);
    return found;
  };
  Url parts{.scheme = lower(part(CURLUPART_SCHEME)), .host = lower(part(CURLUPART_HOST)), .base = {}, .path = {}};
  const auto port = part(CURLUPART_PORT), query = part(CURLUPART_QUERY);
  parts.base = parts.scheme + "://" + parts.host + (port.empty() ? "" : ":" + port);
  parts.path = part(CURLUPART_PATH) + (query.empty() ? "" : "?" + query);
  return parts;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace sesame::http

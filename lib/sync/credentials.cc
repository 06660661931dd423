#include "sync/credentials.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "sync/json.h"
#include "sync/shared_credentials.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::sync {
namespace {

using std::chrono::milliseconds;

// A source gives credentials, has none (the next one is asked), or is at fault.
using Found = Result<std::optional<Credentials>>;

// Credentials are not used in their last minutes: the clocks differ, and a request takes its time.
constexpr std::int64_t kMargin = 300;
constexpr milliseconds kMetadataTimeout{3000};
constexpr std::size_t kMaxMetadata = 64u << 10;
constexpr std::size_t kMaxFile = 1u << 20;
constexpr const char* kContainerAgent = "http://169.254.170.2";
constexpr const char* kInstanceMetadata = "http://169.254.169.254";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// What may stand in a header field: no blanks, no line ends.
bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

Found checked(Credentials found) {
  if (!is_clean(found.key_id) || !is_clean(found.secret) || !is_clean(found.session_token))
    return failure(fmt::format("the keys of {} hold characters that no key has", found.source));
  // A role is one account's, whatever keys it has just now; other keys are known by themselves alone.
  if (found.owner.empty()) found.owner = found.source + '\n' + found.key_id;
  return std::optional(std::move(found));
}

Found from_environment() {
  Credentials found{.key_id = environment("AWS_ACCESS_KEY_ID"),
                    .secret = environment("AWS_SECRET_ACCESS_KEY"),
                    .session_token = environment("AWS_SESSION_TOKEN"),
                    .source = "the environment"};
  if (found.key_id.empty() && found.secret.empty()) return std::nullopt;
  if (found.key_id.empty()) return failure("AWS_SECRET_ACCESS_KEY is set, but not AWS_ACCESS_KEY_ID");
  if (found.secret.empty()) return failure("AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY");
  return checked(std::move(found));
}

std::string shared_file() {
  const auto named = environment("AWS_SHARED_CREDENTIALS_FILE");
  if (!named.empty()) return named;
  const auto home = environment("HOME");
  return home.empty() ? "" : home + "/.aws/credentials";
}

// `name` may be "": then it is the default one, which need not be there.
Found from_shared_file(const std::string& name) {
  const auto path = shared_file();
  const auto profile_name = name.empty() ? "default" : name;
  const auto absent = fmt::format("there is no profile \"{}\" in {}", printable(profile_name),
                                  path.empty() ? "~/.aws/credentials: HOME is not set" : path);
  const auto none = [&]() -> Found { return name.empty() ? Found(std::nullopt) : failure(absent); };
  if (path.empty()) return none();
  const auto text = read_file(path, kMaxFile);
  if (!text) return tl::unexpected(text.error());
  const auto profile = *text ? find_profile(**text, profile_name) : std::nullopt;
  if (!profile) return none();
  const auto value = [&profile](const char* key) {
    const auto found = profile->find(key);
    return found == profile->end() ? "" : found->second;
  };
  Credentials found{.key_id = value("aws_access_key_id"),
                    .secret = value("aws_secret_access_key"),
                    .session_token = value("aws_session_token"),
                    .source = fmt::format("profile \"{}\" of {}", printable(profile_name), path)};
  if (name.empty() && found.key_id.empty() && found.secret.empty()) return std::nullopt;
  if (found.key_id.empty() || found.secret.empty())
    return failure(fmt::format(
        "{} has no aws_access_key_id with aws_secret_access_key; what role_arn, sso_session and credential_process "
        "lead to is not looked up: \"aws configure export-credentials --format env\" gives it",
        found.source));
  return checked(std::move(found));
}

// The answer of a container's agent or of the instance's metadata.
Found from_answer(const http::Answer& answer, std::string source, std::string owner) {
  if (answer.status != 200)
    return failure(fmt::format("{} gives no credentials: {}", source,
                               answer.status ? fmt::format("status {}", answer.status) : answer.trouble));
  const auto json = parse_answer(answer.body);
  if (!json) return failure(fmt::format("{} gives no credentials: its answer {}", source, json.error().message));
  Credentials found{.key_id = text_of(*json, "AccessKeyId"),
                    .secret = text_of(*json, "SecretAccessKey"),
                    .session_token = text_of(*json, "Token"),
                    .expires = parse_timestamp(text_of(*json, "Expiration")),
                    .source = std::move(source),
                    .owner = std::move(owner)};
  // ECS names the role, EKS the account.
  if (const auto told = text_of(*json, "AccountId") + ' ' + text_of(*json, "RoleArn"); told.size() > 1)
    found.owner = found.source + '\n' + told;
  if (found.key_id.empty() || found.secret.empty())
    return failure(fmt::format("{} gives no credentials: its answer holds no keys", found.source));
  return checked(std::move(found));
}

http::Answer ask(http::Client& client, std::string base, std::string path, std::vector<std::string> headers = {},
                 http::Request::Method method = http::Request::Method::get) {
  return client.send({.method = method,
                      .base = std::move(base),
                      .path = std::move(path),
                      .headers = std::move(headers),
                      .proxy = http::Request::Proxy::none,
                      .timeout = kMetadataTimeout,
                      .max_answer = kMaxMetadata});
}

// Keys travel in the clear only where nobody else listens: this host, and the agents of ECS and EKS.
bool is_safe(const http::Url& url) {
  if (url.scheme == "https") return true;
  constexpr std::array<std::string_view, 6> kHosts = {"127.0.0.1",     "localhost",      "[::1]",
                                                      "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  return url.scheme == "http" && std::ranges::find(kHosts, url.host) != kHosts.end();
}

Found from_container(http::Client& client) {
  const auto relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = relative.empty() ? environment("AWS_CONTAINER_CREDENTIALS_FULL_URI") : kContainerAgent + relative;
  if (full.empty()) return std::nullopt;
  const auto url = is_clean(full) ? http::parse_url(full) : std::nullopt;
  if (!url || !is_safe(*url))
    return failure(
        fmt::format("AWS_CONTAINER_CREDENTIALS_{}_URI names neither an https address nor this host or its agent",
                    relative.empty() ? "FULL" : "RELATIVE"));
  auto token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
    const auto text = read_file(path, kMaxFile);
    if (!text) return tl::unexpected(text.error());
    if (!*text) return failure(path + ": there is no such file, which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names");
    token = trim(**text);
  }
  if (!std::ranges::all_of(token, [](char c) { return c >= ' ' && c <= '~'; }))
    return failure("the authorization token for the container's agent is not one line of text");
  std::vector<std::string> headers;
  if (!token.empty()) headers.push_back("Authorization: " + token);
  return from_answer(ask(client, url->base, url->path, std::move(headers)), "the container's agent",
                     "the container's agent\n" + full);
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html: version 2, with a token.
Found from_instance(http::Client& client) {
  if (iequals(environment("AWS_EC2_METADATA_DISABLED"), "true")) return std::nullopt;
  auto base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = kInstanceMetadata;
  while (base.ends_with('/')) base.pop_back();
  const auto token = ask(client, base, "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds: 21600"},
                         http::Request::Method::put);
  // Nobody there: this is no instance of EC2.
  if (token.status != 200 || !is_clean(token.body)) return std::nullopt;
  const std::vector<std::string> header = {"X-aws-ec2-metadata-token: " + token.body};
  const std::string directory = "/latest/meta-data/iam/security-credentials/";
  const auto roles = ask(client, base, directory, header);
  if (roles.status == 404) return failure("the instance has no role: attach one, or give other credentials");
  const std::string role(trim(roles.body.substr(0, roles.body.find('\n'))));
  if (roles.status != 200 || role.empty()) return from_answer(roles, "the instance's metadata", "");
  const auto source = fmt::format("the instance's role \"{}\"", printable(role));
  return from_answer(ask(client, base, directory + http::percent_encode(role), header), source, source + '\n' + base);
}

Found first_of(http::Client& client, const std::string& asked) {
  if (asked.empty()) {
    auto found = from_environment();
    if (!found || *found) return found;
  }
  auto found = from_shared_file(asked.empty() ? environment("AWS_PROFILE") : asked);
  if (found && !*found) found = from_container(client);
  if (found && !*found) found = from_instance(client);
  return found;
}

// What the SDKs would have followed, and nobody does here.
std::string not_followed() {
  return environment("AWS_WEB_IDENTITY_TOKEN_FILE").empty()
             ? ""
             : "; AWS_WEB_IDENTITY_TOKEN_FILE is set, but web identity is not followed: use EKS Pod Identity, or \"aws "
               "configure export-credentials --format env\"";
}

}  // namespace

CredentialChain::CredentialChain(http::Client& client, const Clock& clock, std::string profile)
    : client_(client), clock_(clock), profile_(std::move(profile)) {}

Result<Credentials> CredentialChain::get() {
  const auto now = clock_.unix_now();
  if (current_ && (!current_->expires || now + kMargin < *current_->expires)) return *current_;
  auto fetched = fetch(now);
  if (fetched)
    current_ = std::move(*fetched);
  else if (!current_ || *current_->expires <= now)
    return tl::unexpected(fetched.error());
  return *current_;
}

Result<Credentials> CredentialChain::fetch(std::int64_t now) {
  auto found = first_of(client_, profile_);
  if (!found) return failure("no credentials: " + found.error().message + not_followed());
  if (!*found)
    return failure(
        "no credentials: looked for AWS_ACCESS_KEY_ID in the environment, the shared credentials file, a container's "
        "agent and the metadata of an EC2 instance" +
        not_followed());
  if ((*found)->expires && *(*found)->expires <= now)
    return failure(
        fmt::format("no credentials: those of {} expired at {}", (*found)->source, timestamp(*(*found)->expires)));
  return std::move(**found);
}

}  // namespace sesame::sync

// Plays the MTA's side of the milter protocol with a folder of messages, as fast as the filters answer, and prints what
// it took as one JSON object. Exits 3 when a verdict is not the expected one or a connection was lost.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <random>

#include "bench/tally.h"

namespace {

using namespace sesame::bench;

constexpr std::uint64_t kMaxLost = 1000;

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Arguments {
  std::vector<std::string> stages;
  std::string corpus;
  std::string only;
  std::string dump;
  std::string verdicts;
  std::size_t connections = 1;
  std::size_t idle = 0;
  std::size_t per_connection = 1;
  std::uint64_t messages = 0;  // 0: each of the corpus once, or as many as fit into `seconds`
  double seconds = 0;
  std::uint32_t seed = 1;
};

// The order of messages, and the end of the run.
class Load final : public Director {
 public:
  Load(const Arguments& arguments, const std::vector<Mail>& mails) : arguments_(arguments), epoll_(epoll_create1(0)) {
    for (const auto& mail : mails)
      if (arguments.dump.empty() || mail.row().file == arguments.dump) order_.push_back(&mail);
    if (order_.empty()) throw std::runtime_error("no such message: " + arguments.dump);
    std::shuffle(order_.begin(), order_.end(), std::mt19937(arguments.seed));
    for (const auto* mail : order_) clients_[client_of(*mail)].push_back(mail);
    left_ = arguments.messages > 0 ? arguments.messages : arguments.seconds > 0 ? ~std::uint64_t{0} : order_.size();
  }
  ~Load() override { ::close(epoll_); }

  const Mail* first() override { return take() ? order_[at_++ % order_.size()] : nullptr; }
  const Mail* another(const Mail& first, std::size_t number) override {
    const auto& same = clients_.at(client_of(first));
    const auto begin = std::ranges::find(same, &first) - same.begin();
    return take() ? same[(static_cast<std::size_t>(begin) + number) % same.size()] : nullptr;
  }
  void done(const Transaction& transaction) override {
    if (!arguments_.dump.empty()) std::cout << to_json(transaction).dump(2) << std::endl;
    tally_.add(transaction);
  }
  void lost() override {
    tally_.add_lost();
    if (++lost_ > kMaxLost) throw std::runtime_error("the filter keeps closing its connections");
  }
  void negotiated(std::size_t stage, const Negotiated& negotiated) override {
    if (flags_.size() <= stage) flags_.resize(stage + 1);
    if (flags_[stage].empty()) flags_[stage] = negotiated.flag_names();
  }
  void watch(std::size_t session, std::size_t stage, int fd) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = session << 8 | stage;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void run();
  nlohmann::json report() const;
  const Tally& tally() const { return tally_; }

 private:
  static std::string client_of(const Mail& mail) { return mail.row().client_ip + ' ' + mail.row().helo; }
  bool take() {
    if (!begun_) return true;  // an idle session only greets
    if (left_ == 0 || (arguments_.seconds > 0 && elapsed() >= arguments_.seconds)) return false;
    --left_;
    return true;
  }
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - *begun_).count(); }
  void turn(std::vector<std::unique_ptr<Session>>& sessions);

  const Arguments& arguments_;
  int epoll_;
  std::vector<const Mail*> order_;
  std::unordered_map<std::string, std::vector<const Mail*>> clients_;
  std::uint64_t left_ = 0, at_ = 0, lost_ = 0;
  std::optional<Clock::time_point> begun_;
  double seconds_ = 0, cpu_before_ = 0;
  Tally tally_;
  std::vector<std::vector<std::string>> flags_;
};

void Load::turn(std::vector<std::unique_ptr<Session>>& sessions) {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), events.size(), 100);
  for (int i = 0; i < count; ++i) {
    const auto place = events[static_cast<std::size_t>(i)].data.u64;
    sessions[place >> 8]->ready(place & 0xff);
  }
}

void Load::run() {
  const SessionOptions idle{arguments_.stages, 1, SessionOptions::Kind::idle};
  const SessionOptions busy{arguments_.stages, arguments_.per_connection};
  std::vector<std::unique_ptr<Session>> sessions;
  const auto start = [&](const SessionOptions& options) {
    sessions.push_back(std::make_unique<Session>(*this, options, sessions.size()));
    sessions.back()->open();
  };
  for (std::size_t i = 0; i < arguments_.idle; ++i) start(idle);
  const auto resting = [](const auto& session) { return session->resting(); };
  while (!std::ranges::all_of(sessions, resting)) turn(sessions);
  begun_ = Clock::now();
  cpu_before_ = cpu_seconds();
  for (std::size_t i = 0; i < arguments_.connections; ++i) start(busy);
  const auto over = [](const auto& session) { return session->resting() || session->ended(); };
  while (!std::ranges::all_of(sessions, over)) turn(sessions);
  seconds_ = elapsed();
}

nlohmann::json Load::report() const {
  auto result = tally_.json(seconds_);
  result["client_cpu_seconds"] = cpu_seconds() - cpu_before_;
  result["negotiated"] = flags_;
  return result;
}

int run(const Arguments& arguments) {
  const auto mails = read_corpus(arguments.corpus, arguments.only);
  Load load(arguments, mails);
  load.run();
  if (!arguments.verdicts.empty()) std::ofstream(arguments.verdicts) << load.tally().verdicts();
  if (arguments.dump.empty()) std::cout << load.report().dump(2) << std::endl;
  return load.tally().all_right() ? 0 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Sends a corpus through milters and measures them"};
  app.add_option("--stages", arguments.stages, "Sockets of the filters, in order")->required()->delimiter(',');
  app.add_option("--corpus", arguments.corpus, "Folder with index.tsv and messages")->required();
  app.add_option("--connections", arguments.connections, "SMTP sessions at once")->capture_default_str();
  app.add_option("--messages", arguments.messages, "How many messages; without it the corpus once");
  app.add_option("--seconds", arguments.seconds, "Or how long");
  app.add_option("--per-connection", arguments.per_connection, "Messages of one session")->capture_default_str();
  app.add_option("--only", arguments.only, "Messages of this group");
  app.add_option("--seed", arguments.seed, "Of the order")->capture_default_str();
  app.add_option("--idle", arguments.idle, "Further sessions that say nothing after HELO")->capture_default_str();
  app.add_option("--dump", arguments.dump, "Send this message alone and print what is done to it");
  app.add_option("--verdicts", arguments.verdicts, "File for the results found, a line for each message");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "sesame-bench-load: " << error.what() << std::endl;
    return 1;
  }
}

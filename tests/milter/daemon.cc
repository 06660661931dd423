#include "daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "mail.h"

namespace sesame::test {
namespace {

constexpr const char* kProgram = SESAME_BINARY_DIR "/bin/sesame-milter";
constexpr int kPatience = 3000;  // of kStep each
constexpr std::chrono::milliseconds kStep{10};

// Name servers are asked at port 53 of whatever address a zone names.
constexpr const char* kNoWatch = "[watch]\ninterval = 0\n";
constexpr const char* kNoHistory = "[history]\nstore = \"\"\n";
constexpr const char* kNoStatus = "[status]\nlisten = \"\"\n";

// `otherwise`, where the settings have no table of this name.
std::string unless_set(const std::string& settings, const std::string& table, const char* otherwise) {
  return settings.find("[" + table + "]") == std::string::npos ? otherwise : "";
}

constexpr const char* kIdentities = R"(
[ses]
region = "us-east-1"
[[ses.identity]]
name = "ours.example"
dkim.status = "SUCCESS"
dkim.tokens = ["t1", "t2", "t3"]
[[ses.identity]]
name = "fail.example"
dkim.signing_enabled = false
[[ses.identity]]
name = "tag.example"
dkim.signing_enabled = false
[[ses.identity]]
name = "hold.example"
dkim.signing_enabled = false
[[ses.identity]]
name = "reject.example"
dkim.signing_enabled = false
[[outbound.override]]
domain = "tag.example"
fail = "tag"
[[outbound.override]]
domain = "hold.example"
fail = "hold"
[[outbound.override]]
domain = "reject.example"
fail = "reject"
)";

std::filesystem::path new_directory() {
  std::string name = std::filesystem::temp_directory_path() / "sesame-milter-XXXXXX";
  if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
  return name;
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

pid_t spawn(const std::vector<std::string>& arguments, const std::string& output) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// -1 when it had to be killed.
int wait_for(pid_t pid) {
  int status = 0;
  for (int i = 0; i < kPatience; ++i) {
    if (::waitpid(pid, &status, WNOHANG) == pid)
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::this_thread::sleep_for(kStep);
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return -1;
}

}  // namespace

Daemon::Daemon(const std::string& settings, const std::string& milter) : dns_(kZone), directory_(new_directory()) {
  std::filesystem::permissions(directory_, std::filesystem::perms::all);  // for a daemon that becomes another user
  write_config(settings, milter);
  try {
    start();
  } catch (...) {
    clean_up();
    throw;
  }
}

Daemon::~Daemon() {
  clean_up();
}

void Daemon::clean_up() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove_all(directory_);
}

void Daemon::write_config(const std::string& settings, const std::string& milter, const std::string& dns,
                          const std::string& log) const {
  std::ofstream out(path("sesame.toml"));
  out << "authserv_id = \"mx.example.net\"\n[milter]\nsocket = \"" << socket() << "\"\ndrain = 20\n"
      << milter << "\n[dns]\nservers = [\"" << dns_.host_port() << "\"]\ntimeout = 0.2\ntries = 1\nbudget = 1.0\n"
      << dns << "\n[log]\ndestination = \"" << path("log") << "\"\n"
      << log << unless_set(settings, "watch", kNoWatch) << unless_set(settings, "history", kNoHistory)
      << unless_set(settings, "status", kNoStatus) << kIdentities << settings;
}

void Daemon::start() {
  std::filesystem::remove(path("log"));
  pid_ = spawn({kProgram, "--config", path("sesame.toml")}, path("output"));
  for (int i = 0; i < kPatience && runs(); ++i) {
    if (log().find("start: ") != std::string::npos) return;
    std::this_thread::sleep_for(kStep);
  }
  throw std::runtime_error("the daemon did not start: " + contents(path("output")));
}

std::unique_ptr<MilterClient> Daemon::connect(const std::string& address, const MilterOffer& offer) const {
  auto client = std::make_unique<MilterClient>(socket(), offer);
  client->connect("mail.clean.example", address);
  client->helo("mail.clean.example");
  return client;
}

void Daemon::signal(int number) const {
  ::kill(pid_, number);
}

void Daemon::signal_other_threads(int number) const {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
    const auto thread = static_cast<pid_t>(std::stoi(entry.path().filename()));
    if (thread != pid_) ::syscall(SYS_tgkill, pid_, thread, number);
  }
}

int Daemon::wait_for_exit() {
  const int status = wait_for(pid_);
  pid_ = -1;
  return status;
}

std::string Daemon::status() const {
  return contents("/proc/" + std::to_string(pid_) + "/status");
}

bool Daemon::runs() const {
  siginfo_t ended{};
  return pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == 0;
}

std::string Daemon::log() const {
  return contents(path("log"));
}

bool Daemon::logs(const std::string& text) const {
  for (int i = 0; i < kPatience / 3; ++i) {
    if (log().find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(kStep);
  }
  return false;
}

Ran run_daemon(const std::vector<std::string>& arguments) {
  const auto directory = new_directory();
  const std::string output = directory / "output";
  std::vector<std::string> all = {kProgram};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Ran ran;
  ran.status = wait_for(spawn(all, output));
  ran.output = contents(output);
  std::filesystem::remove_all(directory);
  return ran;
}

}  // namespace sesame::test

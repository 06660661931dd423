// The test DNS server as a program: serves a zone file until SIGTERM, reads it again at SIGHUP.
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "support/dns_server.h"

namespace {

using sesame::test::DnsServer;
using sesame::test::DnsServerOptions;
using sesame::test::Zone;

struct Arguments {
  std::string zone;
  std::string listen = "127.0.0.1";
  std::uint16_t port = 0;
  std::string port_file;
  std::string log;
};

Zone read_zone(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return Zone::from_json(std::string(std::istreambuf_iterator<char>(in), {}));
}

// Whole or not there at all: somebody may be waiting for the file to appear.
void write_port(const std::string& path, std::uint16_t port) {
  const auto unfinished = path + ".new";
  std::ofstream(unfinished) << port << '\n';
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) throw std::runtime_error("cannot write " + path);
}

void reload(DnsServer& server, const std::string& path) {
  try {
    auto zone = read_zone(path);
    server.with_zone([&](Zone& served) { served = std::move(zone); });
    std::cout << "zone read again" << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "the old zone stays: " << error.what() << std::endl;
  }
}

int serve(const Arguments& arguments) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, number);
  // Before the server's thread exists, so that it inherits the mask and only sigwait() below sees them.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  DnsServerOptions options{.address = arguments.listen, .port = arguments.port};
  std::ofstream log;
  if (!arguments.log.empty()) {
    log.open(arguments.log, std::ios::app);
    if (!log) throw std::runtime_error("cannot write " + arguments.log);
  }
  options.on_query = [&](const std::string& line) {
    if (log.is_open()) log << line << std::endl;
  };
  DnsServer server(read_zone(arguments.zone), options);
  if (!arguments.port_file.empty()) write_port(arguments.port_file, server.port());
  std::cout << "listening on " << server.host_port() << std::endl;
  for (int number = 0; sigwait(&signals, &number) == 0 && number == SIGHUP;) reload(server, arguments.zone);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"A DNS server with faults, for tests"};
  app.add_option("--zone", arguments.zone, "Zone as JSON")->required();
  app.add_option("--listen", arguments.listen, "IPv4 address")->capture_default_str();
  app.add_option("--port", arguments.port, "UDP and TCP port, 0 = any that is free")->capture_default_str();
  app.add_option("--port-file", arguments.port_file, "Where to write the port once ready");
  app.add_option("--log", arguments.log, "File to append one line to for each query");
  CLI11_PARSE(app, argc, argv);
  try {
    return serve(arguments);
  } catch (const std::exception& error) {
    std::cerr << "sesame-test-dnsd: " << error.what() << std::endl;
    return 1;
  }
}

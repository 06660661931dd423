// What CLI11 fills while it parses the command line; then `run` is called. For main.cc and operate.cc, which alone here
// include CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "command.h"

namespace sesame::cli {

struct Arguments {
  Common common;
  SpfArguments spf;
  VerifyArguments verify;
  DmarcArguments dmarc;
  PreflightArguments preflight;
  SyncArguments sync;
  DoctorArguments doctor;
  WatchArguments watch;
  ReportArguments report;
  ExplainArguments explain;
  TopArguments top;
  TailArguments tail;
  SimulateArguments simulate;
  ImportArguments import;
  SetupArguments setup;
  ConfigArguments config;
  std::function<int()> run;
};

// A subcommand of `app` that, when it is named, makes `run` be `command`.
CLI::App& subcommand(CLI::App& app, const char* name, const char* help, std::function<int()>& run,
                     std::function<int()> command);
void add_json(CLI::App& sub, Common& common);

// What a postmaster asks of the history, and what sets Sesame up.
void add_operations(CLI::App& app, Arguments& arguments);

}  // namespace sesame::cli

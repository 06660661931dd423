#include "bench/session.h"

#include <algorithm>
#include <utility>

namespace sesame::bench {
namespace {

const std::string& plain_packet(char command) {
  static const auto packet = [](char one) {
    std::string text;
    put_packet(text, one, "");
    return text;
  };
  static const std::string abort = packet('A'), quit = packet('Q');
  return command == 'A' ? abort : quit;
}

const std::string& offer() {
  static const std::string packet = [] {
    std::string text;
    put_packet(text, 'O', number(6) + number(kAllActions) + number(kAllProtocol));
    return text;
  }();
  return packet;
}

double microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

const Step* Session::Stage::next(char command) {
  if (ear != Ear::open || cursor == script->steps.size()) return nullptr;
  const auto& step = script->steps[cursor];
  if (command != 0 && step.command != command) return nullptr;
  ++cursor;
  return &step;
}

void Session::Stage::read(const Script& new_script) {
  script = &new_script;
  cursor = 0;
}

void Session::open() {
  ++connection_;
  first_ = director_.first();
  if (!first_) return close();
  told_ = 0;
  phase_ = Phase::negotiating;
  stages_.clear();
  left_to_negotiate_ = options_.sockets.size();
  for (const auto& socket : options_.sockets) {
    auto& stage = *stages_.emplace_back(std::make_unique<Stage>(socket));
    director_.watch(number_, stages_.size() - 1, stage.channel.fd());
    stage.channel.put(offer());
    stage.channel.flush();
  }
}

void Session::ready(std::size_t stage) {
  if (stage >= stages_.size()) return;
  auto& channel = stages_[stage]->channel;
  channel.flush();
  const bool lives = channel.receive();
  // What is taken may end this connection and begin the next.
  const auto connection = connection_;
  while (connection == connection_) {
    const auto packet = channel.next();
    if (!packet) break;
    take(stage, *packet);
  }
  if (lives || connection != connection_) return;
  director_.lost();
  open();
}

void Session::write_opening(Stage& stage) {
  const auto& row = first_->row();
  ScriptWriter writer(stage.opening, stage.negotiated);
  const auto port = std::string("\x30\x39", 2);
  const bool v6 = row.client_ip.find(':') != std::string::npos;
  writer.step('C', texts({row.client_name}) + (v6 ? "6" : "4") + port + texts({row.client_ip}),
              {"j", "mx.bench.invalid", "{daemon_name}", "mx.bench.invalid", "{daemon_addr}", "192.0.2.1", "v",
               "Postfix", "_", row.client_name + " [" + row.client_ip + "]"});
  writer.step('H', texts({row.helo}));
  writer.finish();
  stage.read(stage.opening);
}

void Session::begin(Phase phase, std::string events) {
  phase_ = phase;
  events_ = std::move(events);
  event_ = stage_ = 0;
}

void Session::begin_message(const Mail* mail) {
  ++told_;
  now_ = {.mail = mail};
  edited_ = false;
  begun_ = Clock::now();
  for (auto& stage : stages_) {
    if (stage->ear == Stage::Ear::deaf_to_message) stage->ear = Stage::Ear::open;
    stage->read(mail->envelope(stage->negotiated));
    now_.octets -= stage->channel.sent();
  }
  begin(Phase::envelope, "M" + std::string(mail->row().rcpts.size(), 'R') + "T");
}

void Session::begin_content(Stage& stage) {
  if (!edited_) return stage.read(now_.mail->content(stage.negotiated));
  stage.edited = std::make_unique<Script>();
  now_.mail->write_content(*stage.edited, stage.negotiated, fields_);
  stage.read(*stage.edited);
}

// Goes on until a filter is to answer.
void Session::advance() {
  while (phase_ != Phase::resting && phase_ != Phase::ended && phase_ != Phase::negotiating) {
    if (stage_ == stages_.size()) {
      if (!next_round()) return;
      continue;
    }
    waiting_ = stage_;
    auto& stage = *stages_[stage_];
    const bool content = phase_ == Phase::content;
    const auto* step = stage.next(content ? 0 : events_[event_]);
    if (step) stage.channel.put(step->packets);
    // The client's commands come one by one, the content in one piece.
    const bool awaited = step && step->reply == Step::Reply::awaited;
    if (step && (awaited || !content)) stage.channel.flush();
    if (!content || !step) ++stage_;
    if (content && !step && stage_ < stages_.size()) begin_content(*stages_[stage_]);
    if (awaited) return;
  }
}

// All filters have been told. False when nothing follows that could be sent now.
bool Session::next_round() {
  stage_ = 0;
  if (++event_ < events_.size()) return true;
  if (phase_ == Phase::opening && options_.kind == SessionOptions::Kind::idle) {
    phase_ = Phase::resting;
    return false;
  }
  if (phase_ == Phase::opening) {
    begin_message(first_);
  } else if (phase_ == Phase::envelope) {
    begin(Phase::content, "");
    begin_content(*stages_[0]);
  } else {
    end_message('c');
  }
  return true;
}

void Session::end_message(char answer) {
  now_.answer = answer;
  now_.whole_us = microseconds(Clock::now() - begun_);
  for (auto& stage : stages_) now_.octets += stage->channel.sent();
  director_.done(now_);
  for (auto& stage : stages_) stage->channel.put(plain_packet('A'));
  const auto* mail = told_ < options_.per_connection ? director_.another(*first_, told_) : nullptr;
  if (mail) return begin_message(mail);
  for (auto& stage : stages_) {
    stage->channel.put(plain_packet('Q'));
    stage->channel.flush();
  }
  open();
}

void Session::take(std::size_t stage, const Packet& packet) {
  if (packet.command == 'O') {
    auto data = packet.data;
    take_number(data);
    auto& negotiated = stages_[stage]->negotiated;
    negotiated.actions = take_number(data);
    negotiated.protocol = take_number(data);
    director_.negotiated(stage, negotiated);
    write_opening(*stages_[stage]);
    if (--left_to_negotiate_ > 0) return;
    begin(Phase::opening, "CH");
    return advance();
  }
  if (std::string_view("catrdysf4").find(packet.command) != std::string_view::npos)
    return take_answer(*stages_[stage], packet.command);
  take_edit(stage, packet);
}

void Session::take_answer(Stage& stage, char answer) {
  if (&stage != stages_[waiting_].get()) return;  // to a message that another filter has ended
  if (phase_ == Phase::content && stage.cursor == stage.script->steps.size())
    now_.end_us += microseconds(Clock::now() - stage.channel.drained_at());
  if (answer == 'a') {
    stage.ear = phase_ == Phase::opening ? Stage::Ear::deaf : Stage::Ear::deaf_to_message;
  } else if (answer == 's') {
    while (stage.script->steps[stage.cursor].command == 'B') ++stage.cursor;
  } else if (answer != 'c' && phase_ == Phase::opening) {
    director_.lost();
    return open();
  } else if (answer != 'c') {
    end_message(answer);
  }
  advance();
}

void Session::take_edit(std::size_t stage, const Packet& packet) {
  if (packet.command == 'p') return;  // it is still at work
  Edit edit{.stage = stage, .command = packet.command};
  auto data = packet.data;
  if (packet.command == 'i' || packet.command == 'm') edit.index = take_number(data);
  if (packet.command == 'h' || packet.command == 'i' || packet.command == 'm') {
    edit.name = take_text(data);
    edit.value = take_text(data);
    if (!stages_[stage]->negotiated.has(kLeadingSpace) && !edit.value.empty()) edit.value.insert(0, 1, ' ');
    // Nobody else needs to know what only the last filter has changed.
    if (stage + 1 < stages_.size()) apply(edit);
  } else if (packet.command == 'q') {
    edit.value = take_text(data);
  }
  now_.edits.push_back(std::move(edit));
}

void Session::apply(const Edit& edit) {
  if (!std::exchange(edited_, true)) fields_ = now_.mail->fields();
  std::vector<mail::Field> fields(fields_.begin(), fields_.end());
  if (edit.command == 'h') {
    fields.push_back({edit.name, edit.value});
  } else if (edit.command == 'i') {
    const auto place = static_cast<std::ptrdiff_t>(std::min<std::size_t>(edit.index, fields.size()));
    fields.insert(fields.begin() + place, {edit.name, edit.value});
  } else {
    auto left = std::max<std::uint32_t>(edit.index, 1);
    const auto found = std::ranges::find_if(
        fields, [&](const mail::Field& field) { return mail::is_named(field, edit.name) && --left == 0; });
    if (found != fields.end() && edit.value.empty())
      fields.erase(found);
    else if (found != fields.end())
      found->value = edit.value;
  }
  fields_ = mail::Fields(fields);
}

void Session::close() {
  stages_.clear();
  phase_ = Phase::ended;
}

}  // namespace sesame::bench

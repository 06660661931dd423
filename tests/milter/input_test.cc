#include "milter/input.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <thread>

namespace sesame::milter {
namespace {

// A connection and the MTA's end of it.
class Input : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    connection_ = ends[0];
    mta_ = ends[1];
    read_ahead(connection_);
  }
  void TearDown() override {
    if (connection_ >= 0) ::close(connection_);
    if (mta_ >= 0) ::close(mta_);
  }

  void send(std::string_view octets) const {
    while (!octets.empty()) {
      const auto sent = ::send(mta_, octets.data(), octets.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::string receive(std::size_t most) const {
    std::string octets(most, '\0');
    const auto got = ::read(connection_, octets.data(), most);
    octets.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return octets;
  }
  bool is_ready() const {
    pollfd one{connection_, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0;
  }
  // What the system still has of what was sent.
  int left() const {
    int octets = -1;
    ::ioctl(connection_, FIONREAD, &octets);
    return octets;
  }

  int connection_ = -1;
  int mta_ = -1;
};

TEST_F(Input, IsTakenAtOnceAndHandedOutAsAsked) {
  send("abcdefgh");
  EXPECT_EQ(receive(3), "abc");
  EXPECT_EQ(left(), 0);
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(receive(4), "defg");
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(receive(100), "h");
  EXPECT_FALSE(is_ready());
}

TEST_F(Input, IsInOrderHoweverItComesAndIsRead) {
  std::string all;
  for (int i = 0; i < 60000; ++i) all += std::to_string(i);
  std::thread mta([&] {
    // Not in step with the reads.
    for (std::size_t at = 0, size = 1; at < all.size(); at += size, size = size * 7 % 5003)
      send(std::string_view(all).substr(at, size));
  });
  std::string got;
  for (std::size_t size = 5; got.size() < all.size(); size = size * 3 % 70001) {
    const auto octets = receive(size);
    ASSERT_FALSE(octets.empty());
    got += octets;
  }
  mta.join();
  EXPECT_EQ(got, all);
}

TEST_F(Input, EndsWhereTheMtaEndsIt) {
  send("last");
  ::shutdown(mta_, SHUT_WR);
  EXPECT_EQ(receive(2), "la");
  EXPECT_EQ(receive(9), "st");
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(receive(9), "");
}

TEST_F(Input, OfNothingIsNothing) {
  EXPECT_FALSE(is_ready());
  ::fcntl(connection_, F_SETFL, O_NONBLOCK);
  char octet = 0;
  EXPECT_EQ(::read(connection_, &octet, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
  send("x");
  EXPECT_EQ(::read(connection_, &octet, 0), 0);
  EXPECT_EQ(receive(1), "x");
}

TEST_F(Input, OfAnEndedConnectionIsNotThatOfTheNext) {
  send("secret of another");
  EXPECT_EQ(receive(1), "s");
  ASSERT_EQ(::close(connection_), 0);
  ASSERT_EQ(::dup2(mta_, connection_), connection_);  // the same number
  EXPECT_EQ(receive(9), "");
  errno = 0;
  EXPECT_EQ(::close(99999), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(Input, OfOthersIsNotTouched) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "abc", 3), 3);
  char octet = 0;
  EXPECT_EQ(::read(ends[0], &octet, 1), 1);
  int octets = 0;
  ::ioctl(ends[0], FIONREAD, &octets);
  EXPECT_EQ(octets, 2);
  for (const auto end : ends) ::close(end);
}

}  // namespace
}  // namespace sesame::milter

#include "util/content_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sesame {
namespace {

std::size_t heap_bytes(const std::string& value) {
  return value.capacity();
}

TEST(ContentCache, ReadsATextOnce) {
  ContentCache<std::string> cache(1u << 20, heap_bytes);
  int read = 0;
  const auto get = [&](std::string_view text) {
    return cache.get(text, [&read](std::string_view each) {
      ++read;
      return std::string(each) + "!";
    });
  };
  const auto first = get("a");
  EXPECT_EQ(*first, "a!");
  EXPECT_EQ(get("a"), first);
  EXPECT_EQ(*get("b"), "b!");
  EXPECT_EQ(read, 2);
}

TEST(ContentCache, ForgetsRatherThanGrow) {
  constexpr std::size_t kMax = 64u << 10;
  ContentCache<std::string> cache(kMax, heap_bytes);
  const auto held = cache.get("0", [](std::string_view) { return std::string("held"); });
  for (int i = 1; i < 10000; ++i) cache.get(std::to_string(i), [](std::string_view) { return std::string(100, 'x'); });
  EXPECT_LE(cache.bytes(), kMax);
  EXPECT_GT(cache.bytes(), kMax / 2);
  EXPECT_EQ(*held, "held");
}

TEST(ContentCache, ReadsButDoesNotKeepWhatIsTooLarge) {
  ContentCache<std::string> cache(64u << 10, heap_bytes);
  const std::string large(64u << 10, 'x');
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(cache.get(large, [](std::string_view text) { return std::string(text); })->size(), large.size());
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(ContentCache, GivesTheSameToAllThreads) {
  ContentCache<std::string> cache(8u << 10, heap_bytes);
  std::vector<std::thread> threads;
  std::array<int, 4> wrong{};
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&cache, &wrong, t] {
      for (int i = 0; i < 20000; ++i) {
        const auto text = std::to_string(i % 97);
        if (*cache.get(text, [](std::string_view each) { return std::string(each) + "!"; }) != text + "!") ++wrong[t];
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

}  // namespace
}  // namespace sesame

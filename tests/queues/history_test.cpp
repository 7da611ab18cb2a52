// The search of history.hpp refuses what no order explains: for each of its rules a history that it explains, and one that it does not.
#include "history.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <string>

namespace sluice::test {
namespace {

constexpr std::uint8_t here = 1;  // the queue 0, as a bit

step call(verb what, int value, long begin, long end) { return {what, value, begin, end, 0, 0, 0}; }
step put(int value, long begin, long end) { return call(verb::put, value, begin, end); }
step get(int value, long begin, long end) { return call(verb::get, value, begin, end); }
step waiting_put(int value, long begin, long end) { return {verb::put, value, begin, end, 0, here, 0}; }
step waiting_get(int value, long begin, long end) { return {verb::get, value, begin, end, 0, 0, here}; }
step on(std::uint8_t queue, step s) {
  s.box = queue;
  return s;
}

box bounded(std::size_t capacity) { return {false, capacity, "", false, 0, 0}; }
box lifo(std::size_t capacity) { return {true, capacity, "", false, 0, 0}; }

// Each step by a thread of its own.
recorded alone(std::initializer_list<step> steps) {
  recorded threads;
  for (const step& s : steps) threads.push_back({s});
  return threads;
}

// As the queue is at rest after those steps, with what is left in it.
box at_rest(box b, const recorded& threads, const std::string& left) {
  b.items = left;
  for (const auto& thread : threads) {
    for (const step& s : thread) {
      if (s.what == verb::put || s.what == verb::fill) ++b.unfinished;
      if (s.what == verb::done) b.unfinished -= static_cast<std::size_t>(s.value);
      if (s.what == verb::close) b.is_closed = true;
      if (s.what == verb::resize) b.capacity = static_cast<std::size_t>(s.value);
    }
  }
  return b;
}

bool explained(const box& before, const recorded& threads, const std::string& left = "") {
  return explanation({before}, threads, {at_rest(before, threads, left)}).exists();
}
bool explained(const box& before, std::initializer_list<step> steps, const std::string& left = "") {
  return explained(before, alone(steps), left);
}

TEST(history, the_oldest_goes_first_and_goes_once) {
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), put(2, 2, 3), get(1, 4, 5), get(2, 6, 7)}));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), put(2, 2, 3), get(2, 4, 5), get(1, 6, 7)})) << "out of order";
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 3), put(2, 1, 4), get(2, 5, 6), get(1, 7, 8)})) << "they overlap";
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), get(1, 2, 3), get(1, 4, 5)})) << "delivered twice";
  EXPECT_FALSE(explained(bounded(1), {get(1, 0, 1), put(1, 2, 3)})) << "delivered before it was put";
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1)})) << "lost";
  EXPECT_TRUE(explained(bounded(1), {put(1, 0, 1)}, "\1"));
  EXPECT_FALSE(explained(bounded(1), {call(verb::no_put, 1, 0, 1)}, "\1")) << "refused, and put";
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), put(2, 2, 3)}, "\2\1")) << "left in the wrong order";
  EXPECT_FALSE(explained(bounded(2), {call(verb::broken, 0, 0, 1)}));
}

TEST(history, the_newest_of_a_lifo_goes_first) {
  EXPECT_TRUE(explained(lifo(2), {put(1, 0, 1), put(2, 2, 3), get(2, 4, 5), get(1, 6, 7)}));
  EXPECT_FALSE(explained(lifo(2), {put(1, 0, 1), put(2, 2, 3), get(1, 4, 5), get(2, 6, 7)}));
  EXPECT_TRUE(explained(lifo(2), {put(1, 0, 1), put(2, 2, 5), get(1, 4, 6), get(2, 7, 8)})) << "they overlap";
  EXPECT_FALSE(explained(lifo(2), {put(1, 0, 1), put(2, 2, 3), get(1, 4, 5)}, "\2"));
}

TEST(history, a_put_has_room) {
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), put(2, 2, 3), get(1, 4, 5)}, "\2"));
  EXPECT_TRUE(explained(bounded(1), {put(1, 0, 1), put(2, 2, 4), get(1, 3, 5)}, "\2"));
}

TEST(history, a_try_gives_up_only_where_it_must) {
  const step full = call(verb::no_put, 3, 4, 5);
  EXPECT_TRUE(explained(bounded(1), {put(1, 0, 1), full}, "\1"));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), full}, "\1")) << "there was room";
  EXPECT_TRUE(explained(bounded(3), {put(1, 0, 1), full, waiting_put(2, 3, 6)}, "\1\2")) << "a put waited";
  EXPECT_FALSE(explained(bounded(3), {put(1, 0, 1), full, put(2, 3, 6)}, "\1\2")) << "a try does not wait";
  EXPECT_FALSE(explained(bounded(3), {put(1, 0, 1), full, waiting_put(2, 6, 7)}, "\1\2")) << "it waited afterwards";
  EXPECT_FALSE(explained(bounded(no_bound), {full})) << "there is always room";

  const step none = call(verb::no_get, 0, 4, 5);
  EXPECT_TRUE(explained(bounded(1), {none}));
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), none}, "\1")) << "it was not empty";
  EXPECT_TRUE(explained(bounded(1), {put(1, 0, 1), none, waiting_get(1, 3, 6)})) << "a get waited";
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), none, get(1, 6, 7)}));
}

TEST(history, a_wait_gives_up_only_where_a_try_would_and_has_no_effect) {
  const step gave_up{verb::gave_up_get, 0, 4, 7, 0, 0, here};
  EXPECT_TRUE(explained(bounded(1), {gave_up}));
  EXPECT_TRUE(explained(bounded(1), {gave_up, put(1, 5, 6)}, "\1"));
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), gave_up}, "\1")) << "it was not empty";
  EXPECT_FALSE(explained(bounded(1), {gave_up, put(1, 5, 6)})) << "it took the item";
  EXPECT_FALSE(explained(bounded(1), {call(verb::close, 0, 0, 1), gave_up})) << "it should have heard of the close";
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), call(verb::close, 0, 2, 3), call(verb::no_put, 2, 4, 5)}, "\1"))
      << "likewise";
}

TEST(history, the_items_of_one_call_go_in_order_and_others_may_come_between) {
  const std::vector<step> many = {put(1, 0, 5), put(2, 0, 5)};
  EXPECT_TRUE(explained(bounded(3), {many, {put(3, 1, 4)}, {get(1, 6, 7)}, {get(3, 8, 9)}}, "\2"));
  EXPECT_FALSE(explained(bounded(3), {many, {put(3, 1, 4)}, {get(2, 6, 7)}, {get(1, 8, 9)}}, "\3"));
  const std::vector<step> some = {get(1, 6, 8), call(verb::no_get, 0, 6, 8)};
  EXPECT_TRUE(explained(bounded(3), {{put(1, 0, 1)}, some}));
  EXPECT_FALSE(explained(bounded(3), {{put(1, 0, 1)}, {put(2, 2, 3)}, some}, "\2")) << "it takes what is there";
  const step cut = call(verb::cut_short, 0, 2, 3);
  EXPECT_TRUE(explained(bounded(1), {{put(1, 2, 3), cut}}, "\1"));
  EXPECT_FALSE(explained(bounded(no_bound), {{put(1, 2, 3), cut}}, "\1")) << "nothing stops it";
}

TEST(history, no_put_after_a_close_and_gets_drain) {
  const step close = call(verb::close, 0, 2, 3);
  const step refused = call(verb::closed, 2, 4, 5);
  const step drained = call(verb::drained, 0, 6, 7);
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), close, refused, get(1, 4, 5), drained}));
  EXPECT_FALSE(explained(bounded(2), {close, put(1, 4, 5)}, "\1")) << "put after the close";
  EXPECT_FALSE(explained(bounded(2), {refused})) << "nobody closed";
  EXPECT_FALSE(explained(bounded(2), {refused, call(verb::close, 0, 6, 7)})) << "not yet";
  EXPECT_FALSE(explained(bounded(2), {drained})) << "nobody closed";
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), close, drained}, "\1")) << "not drained";
  EXPECT_FALSE(explained(bounded(2), {close, drained, put(1, 8, 9), get(1, 10, 11)})) << "drained is drained";
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 9), close, drained, get(1, 4, 10)})) << "the put came first";
  EXPECT_FALSE(explained(bounded(2), {put(1, 4, 9), close, drained, get(1, 5, 10)})) << "it could not";
}

TEST(history, close_now_hands_back_what_is_there) {
  const auto close_now = [](std::initializer_list<int> left) {
    std::vector<step> steps = {call(verb::close, 0, 4, 7)};
    for (const int value : left) steps.push_back(get(value, 4, 7));
    steps.push_back(call(verb::drained, 0, 4, 7));
    steps.push_back(call(verb::done, static_cast<int>(left.size()), 4, 7));
    return steps;
  };
  EXPECT_TRUE(explained(bounded(2), {{put(1, 0, 1)}, {put(2, 2, 3)}, close_now({1, 2})}));
  EXPECT_FALSE(explained(bounded(2), {{put(1, 0, 1)}, {put(2, 2, 3)}, close_now({1})})) << "one is lost";
  EXPECT_FALSE(explained(bounded(2), {{put(1, 0, 1)}, {put(2, 2, 3)}, close_now({1})}, "\2")) << "one is left";
  EXPECT_TRUE(explained(bounded(2), {{put(1, 0, 1)}, {put(2, 2, 3)}, close_now({2}), {get(1, 5, 6)}}));
  EXPECT_FALSE(explained(bounded(2), {{put(1, 0, 1)}, {put(2, 2, 3)}, close_now({2}), {get(1, 8, 9)}}));
}

TEST(history, a_capacity_counts_from_its_call) {
  const step shrink = call(verb::resize, 1, 2, 5);
  const step grow = call(verb::resize, 2, 2, 5);
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), shrink, put(2, 6, 7)}, "\1\2")) << "there was no room";
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), shrink, put(2, 3, 6)}, "\1\2")) << "it was on its way";
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), put(2, 0, 1), shrink, get(1, 6, 7)}, "\2")) << "nothing is dropped";
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), put(2, 0, 1), shrink}, "\2"));
  EXPECT_TRUE(explained(bounded(1), {put(1, 0, 1), grow, put(2, 6, 7)}, "\1\2"));
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), grow, call(verb::no_put, 2, 6, 7)}, "\1")) << "there is room now";
  EXPECT_TRUE(explained(bounded(1), {put(1, 0, 1), grow, call(verb::no_put, 2, 4, 7)}, "\1")) << "perhaps not yet";
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), grow, put(2, 6, 7), put(3, 8, 9)}, "\1\2\3")) << "not so much";
  const step later = call(verb::resize, 1, 7, 10);
  EXPECT_FALSE(explained(bounded(3), {put(1, 0, 1), grow, put(2, 6, 8), put(3, 9, 11), later}, "\1\2\3"))
      << "the first capacity was over before";
}

TEST(history, a_rendezvous_puts_and_gets_at_one_moment) {
  const box meeting = bounded(0);
  EXPECT_TRUE(explained(meeting, {put(1, 0, 2), get(1, 1, 3)}));
  EXPECT_FALSE(explained(meeting, {put(1, 0, 1), get(1, 2, 3)})) << "the put did not wait for the get";
  EXPECT_FALSE(explained(meeting, {put(1, 0, 1)}, "\1")) << "it holds nothing";
  EXPECT_FALSE(explained(meeting, {get(1, 0, 1)}));
  EXPECT_FALSE(explained(meeting, {put(1, 0, 3), get(1, 1, 4), get(1, 2, 5)})) << "delivered twice";
  EXPECT_TRUE(explained(meeting, {call(verb::no_put, 1, 0, 2), call(verb::no_get, 0, 1, 3)})) << "they missed it";
  EXPECT_FALSE(explained(meeting, {call(verb::close, 0, 0, 1), put(1, 2, 4), get(1, 3, 5)})) << "closed";
  const std::vector<step> many = {put(1, 0, 5), put(2, 0, 5)};
  EXPECT_TRUE(explained(meeting, {many, {get(1, 1, 2), get(2, 3, 4)}}));
  EXPECT_FALSE(explained(meeting, {many, {get(2, 1, 2), get(1, 3, 4)}}));
}

TEST(history, finished_items_are_counted) {
  const step done = call(verb::done, 1, 2, 3);
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), done}, "\1"));
  EXPECT_FALSE(explained(bounded(2), {call(verb::done, 1, 0, 1), put(1, 2, 3)}, "\1")) << "more than were put";
  EXPECT_TRUE(explained(bounded(2), {call(verb::too_many_done, 1, 0, 1), put(1, 2, 3)}, "\1"));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), call(verb::too_many_done, 1, 2, 3)}, "\1")) << "it was one";
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), done, call(verb::finished, 0, 4, 5)}, "\1"));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), call(verb::finished, 0, 2, 3)}, "\1")) << "join came back early";
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), done, call(verb::unfinished, 0, 4, 5)}, "\1")) << "join slept on";
  box b = bounded(2);
  b.unfinished = 2;
  const box wrong = b;
  EXPECT_FALSE(explanation({bounded(2)}, alone({put(1, 0, 1), get(1, 2, 3)}), {wrong}).exists()) << "a wrong count";
}

TEST(history, a_slot_takes_room_until_it_is_filled_or_given_up) {
  const step reserve = call(verb::reserve, 0, 0, 1);
  const step fill = call(verb::fill, 1, 8, 9);
  EXPECT_TRUE(explained(bounded(1), {reserve, fill}, "\1"));
  EXPECT_FALSE(explained(bounded(1), {fill}, "\1")) << "it was not reserved";
  EXPECT_FALSE(explained(bounded(1), {reserve, put(2, 2, 3), fill}, "\2\1")) << "there was no room";
  EXPECT_TRUE(explained(bounded(2), {reserve, put(2, 2, 3), fill}, "\2\1"));
  EXPECT_FALSE(explained(bounded(2), {reserve, put(2, 2, 3), fill}, "\1\2")) << "it goes by when it is filled";
  EXPECT_TRUE(explained(bounded(1), {reserve, call(verb::no_reserve, 0, 2, 3), fill}, "\1"));
  EXPECT_FALSE(explained(bounded(2), {reserve, call(verb::no_reserve, 0, 2, 3), fill}, "\1")) << "there was room";
  EXPECT_TRUE(explained(bounded(1), {reserve, call(verb::give_up, 0, 2, 3), put(2, 4, 5)}, "\2"));
  EXPECT_FALSE(explained(bounded(1), {call(verb::give_up, 0, 2, 3)}));
  const step close = call(verb::close, 0, 2, 3);
  EXPECT_TRUE(explained(bounded(1), {reserve, close, fill}, "\1")) << "closed or not";
  EXPECT_FALSE(explained(bounded(1), {close, call(verb::reserve, 0, 4, 5), fill}, "\1")) << "closed";
  EXPECT_FALSE(explained(bounded(1), {reserve, close, call(verb::drained, 0, 4, 5), fill}, "\1")) << "not drained";
  EXPECT_TRUE(explained(bounded(1), {reserve, close, call(verb::gave_up_get, 0, 4, 5), fill}, "\1")) << "it waited";
  EXPECT_TRUE(explained(bounded(1), {reserve, close, call(verb::emptied, 0, 4, 5), fill}, "\1"));
  EXPECT_FALSE(explained(bounded(1), {put(1, 0, 1), close, call(verb::emptied, 0, 4, 5)}, "\1"));
}

TEST(history, a_peek_sees_the_next_to_go) {
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), put(2, 2, 3), call(verb::peek, 1, 4, 5)}, "\1\2"));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), put(2, 2, 3), call(verb::peek, 2, 4, 5)}, "\1\2"));
  EXPECT_TRUE(explained(lifo(2), {put(1, 0, 1), put(2, 2, 3), call(verb::peek, 2, 4, 5)}, "\1\2"));
  EXPECT_FALSE(explained(bounded(2), {call(verb::peek, 1, 4, 5)}));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), call(verb::peek, 1, 4, 5)})) << "it took it";
}

TEST(history, looks_see_what_is_there) {
  EXPECT_TRUE(explained(bounded(2), {put(1, 0, 1), call(verb::size, 1, 2, 3)}, "\1"));
  EXPECT_FALSE(explained(bounded(2), {put(1, 0, 1), call(verb::size, 0, 2, 3)}, "\1"));
  EXPECT_FALSE(explained(bounded(0), {call(verb::size, 1, 0, 1)}));
  EXPECT_TRUE(explained(bounded(0), {call(verb::size, 1, 0, 3), put(1, 1, 4), get(1, 2, 5)}));
  EXPECT_FALSE(explained(bounded(2), {call(verb::capacity, 1, 2, 3)}));
  EXPECT_TRUE(explained(bounded(no_bound), {call(verb::capacity, seen_bound, 2, 3)}));
  EXPECT_FALSE(explained(bounded(2), {call(verb::close, 0, 0, 1), call(verb::is_closed, 0, 2, 3)}));
  EXPECT_FALSE(explained(bounded(2), {call(verb::is_closed, 1, 2, 3)}));
  const std::vector<step> count_2 = {call(verb::note_done, 0, 2, 9), call(verb::count, 2, 2, 9)};
  const step done = call(verb::done, 1, 4, 5);
  EXPECT_TRUE(explained(bounded(2), {{put(1, 0, 1)}, {done}, {put(2, 6, 7)}, count_2}, "\1\2"));
  EXPECT_FALSE(explained(bounded(2), {{put(1, 0, 1)}, {done}, {put(2, 12, 13)}, count_2}, "\1\2"));
}

TEST(history, of_several_queues_each_has_its_own_items) {
  const auto on_two = [](const recorded& threads, const std::string& left_0, const std::string& left_1) {
    box first = bounded(1);
    box second = bounded(1);
    first.items = left_0;
    second.items = left_1;
    first.unfinished = second.unfinished = 1;
    return explanation({bounded(1), bounded(1)}, threads, {first, second}).exists();
  };
  EXPECT_TRUE(on_two(alone({put(1, 0, 1), on(1, put(2, 2, 3))}), "\1", "\2"));
  EXPECT_FALSE(on_two(alone({put(1, 0, 1), on(1, put(2, 2, 3))}), "\2", "\1"));
  EXPECT_TRUE(on_two(alone({put(1, 0, 1), on(1, put(2, 2, 3)), on(1, get(2, 4, 5))}), "\1", ""));
  EXPECT_FALSE(on_two(alone({put(1, 0, 1), on(1, put(2, 2, 3)), on(1, get(2, 4, 5))}), "", "")) << "it took from both";
  EXPECT_FALSE(on_two(alone({put(1, 0, 1), on(1, put(2, 2, 3)), get(2, 4, 5)}), "\1", "")) << "from the other one";
}

}  // namespace
}  // namespace sluice::test

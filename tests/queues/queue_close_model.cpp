// models: queues/queue_base.hpp queues/queue_base.cpp queues/queue_core.hpp queues/queue_server.hpp
// What a close says: why, to whom, and how many it has refused; and what who has closed a queue hears from then on.
#include <sluice/model/program.hpp>
#include <sluice/queues/queue.hpp>

#include "model_queue.hpp"

#include <exception>
#include <memory>
#include <vector>

namespace {

using namespace sluice;
using namespace sluice::impl;
using namespace sluice::test;

template <class Core>
int try_get(state_of<Core>& s) {
  int value = 0;
  (void)s.items->try_get([&](payload&& item) { value = payload(std::move(item)).value(); });
  return value;
}

// ------------------------------------------------------------------------------------------ why

// What the exception has: who asks a second time might see more.
template <class Wait>
void says_why(Wait&& hear) {
  try {
    hear();
  } catch (const queue_closed& error) {
    model::check(error.cause() != nullptr, "It says why.");
  }
}

// Whoever hears that it is closed, in any way, finds the reason.
template <class Core>
void reason(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  r.thread("closer", [&s] {
    s.items->give_cause(std::make_exception_ptr(1));
    s.items->close();
  });
  r.thread("getter", [&s] {
    get_awaiter<Core, payload> awaiter(*s.items, s.one);
    says_why([&] { (void)wait(awaiter, s.one); });
  });
  r.thread("putter", [&s] {
    payload item(1);
    put_awaiter<Core> awaiter(*s.items, s.two, item);
    says_why([&] { wait(awaiter, s.two); });
  });
  r.thread("asker", [&s] {
    if (s.items->items().is_closed()) model::check(s.items->cause() != nullptr, "It says why.");
  });
}

// One of two that close it says why: whoever hears that it is closed, and finds a reason, may read it.
template <class Core>
void reason_of_one(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  auto& why = r.make<plain<int>>(0);
  r.thread("closer with a reason", [&s, &why] {
    why.set(1);
    s.items->give_cause(std::make_exception_ptr(&why));
    s.items->close();
  });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("getter", [&s] {
    model::check(get(s, s.one) == was_closed, "Nothing was put.");
    const std::exception_ptr cause = s.items->cause();
    if (!cause) return;
    try {
      std::rethrow_exception(cause);
    } catch (const plain<int>* told) {
      model::check(told->get() == 1, "The reason is whole.");
    }
  });
}

// ------------------------------------------------------------------------------------------ who waits

// A full queue with one cell, where a put waits, on a thread that goes on when it is woken.
template <class Core>
struct with_a_putter : state_of<Core> {
  using state = state_of<Core>;
  using state::items;
  using state::one;

  explicit with_a_putter(model::run& r) : state(1) {
    put_now(*items, 1);
    model::check(waiting.await_suspend(std::coroutine_handle<>{}), "There is no room.");
    r.thread("who waits", [this] {
      one.park();
      try {
        waiting.await_resume();
        ended = 2;
      } catch (const queue_closed& error) {
        ended = was_closed;
        model::check(error.cause() != nullptr, "It says why.");
      } catch (const cancelled&) {
        ended = was_cancelled;
      }
    });
  }

  void close() {
    items->give_cause(std::make_exception_ptr(1));
    items->close();
  }

  payload value{2};
  put_awaiter<Core> waiting{*items, one, value};
  int ended = 0;
};

// Just the puts that waited, and failed because of the close, were refused; and that is known as soon as somebody asks.
template <class Core>
void refused_beside_a_get(model::run& r) {
  auto& s = r.make<with_a_putter<Core>>(r);
  r.thread("getter", [&s] { model::check(try_get(s) == 1, "There is an item."); });
  r.thread("closer", [&s] {
    s.close();
    s.got[0] = static_cast<int>(s.items->refused());
  });
  r.finally([&s] {
    model::check(s.got[0] == (s.ended == was_closed ? 1 : 0), "It was refused if it heard of the close.");
    (void)drain(s);
  });
}

template <class Core>
void refused_beside_a_cancellation(model::run& r) {
  auto& s = r.make<with_a_putter<Core>>(r);
  r.thread("canceller", [&s] { s.one.cancel(); });
  r.thread("closer", [&s] { s.close(); });
  r.finally([&s] {
    model::check(s.items->refused() == (s.ended == was_closed ? 1U : 0U), "Who is cancelled was not refused.");
    (void)drain(s);
  });
}

template <class Core>
void refused_where_they_meet(model::run& r) {
  auto& s = r.make<state_of<Core>>(queue_kind::rendezvous, std::size_t{0});
  r.thread("putter", [&s] { s.got[0] = put(s, s.one, 1); });
  r.thread("getter", [&s] { s.got[1] = get(s, s.two); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] {
    model::check(s.got[0] == 1 ? s.got[1] == 1 : s.got[1] == was_closed, "Both met, or neither.");
    model::check(s.items->refused() <= (s.got[0] == was_closed ? 1U : 0U), "Who has put was not refused.");
  });
}

// ------------------------------------------------------------------------------------------ who has closed it

// A put that is about to wait, or waits, hears of it.
template <class Core>
void heard_by_a_put(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  put_now(*s.items, 1);
  r.thread("putter", [&s] { model::check(put(s, s.one, 2) == was_closed, "There is no room."); });
  r.thread("closer", [&s] { s.items->close(); });
  r.finally([&s] { model::check(drain(s) == 1, "The first item is there."); });
}

// Two close it; the second finds it closed, and hears so, though who waits has not heard of it yet.
template <class Core>
void closed_for_a_reserve(model::run& r) {
  auto& s = r.make<with_a_putter<Core>>(r);
  r.thread("closer", [&s] { s.close(); });
  r.thread("second closer", [&s] {
    s.close();
    model::check(s.items->try_reserve() == item_status::closed, "It has closed the queue.");
  });
  r.finally([&s] { (void)drain(s); });
}

template <class Core>
void closed_for_a_get(model::run& r) {
  struct with_a_getter : state_of<Core> {
    with_a_getter() : state_of<Core>(1) {}
    get_awaiter<Core, std::optional<payload>> waiting{*this->items, this->one};
  };
  auto& s = r.make<with_a_getter>();
  model::check(s.waiting.await_suspend(std::coroutine_handle<>{}), "There is nothing.");
  r.thread("who waits", [&s] {
    s.one.park();
    model::check(!s.waiting.await_resume(), "It has ended.");
  });
  r.thread("closer", [&s] { s.items->close(); });
  r.thread("second closer", [&s] {
    s.items->close();
    model::check(s.items->try_get([](payload&&) {}) == item_status::closed, "It has closed the queue, and drained it.");
  });
}

// A getter waits for what will be put into a slot: whoever takes what else is left does not wait for that.
template <class Core>
void close_now_beside_a_slot(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{2});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  r.thread("getter", [&s] {
    s.got[0] = get(s, s.one);
    if (s.got[0] == 4) s.got[0] += get(s, s.two);
  });
  r.thread("closer and holder", [&s] {
    put_now(*s.items, 4);
    for (const payload& item : s.items->close_now()) s.got[1] += item.value();
    payload last(1);
    s.items->fill(last);
  });
  r.finally([&s] { model::check(s.got[0] + s.got[1] == 5 && drain(s) == 0, "Each item is in one place."); });
}

// Nobody will get any more: what is put into a slot then goes, and does not count.
template <class Core>
void abandoned_slot(model::run& r) {
  auto& s = r.make<state_of<Core>>(std::size_t{1});
  model::check(is_done(s.items->try_reserve()), "There is room.");
  r.thread("holder", [&s] {
    payload item(1);
    s.items->fill(item);
    model::check(item.value() == -1, "It was taken.");
  });
  r.thread("last getter", [&s] {
    s.items->close();
    s.items->abandon();
    if (try_get(s) == 1) s.items->task_done(1);
  });
  r.finally([&s] { model::check(s.items->unfinished() == 0 && drain(s) == 0, "Nothing is left."); });
}

const model::program p01{"close: put x close", {}, heard_by_a_put<model_core>};
const model::program p02{"lifo close: put x close", {}, heard_by_a_put<lifo_core>};
const model::program p03{"spsc close: put x close", {}, heard_by_a_put<spsc_core>};
const model::program p04{"close: the reason", {}, reason<model_core>};
const model::program p05{"lifo close: the reason", {}, reason<lifo_core>};
const model::program p06{"spsc close: the reason", {}, reason<spsc_core>};
const model::program p07{"close: one of two has a reason", {}, reason_of_one<model_core>};
const model::program p08{"lifo close: one of two has a reason", {}, reason_of_one<lifo_core>};
const model::program p09{"spsc close: one of two has a reason", {}, reason_of_one<spsc_core>};
const model::program p10{"close: how many it refused, beside a get", {}, refused_beside_a_get<model_core>};
const model::program p11{"lifo close: how many it refused, beside a get", {}, refused_beside_a_get<lifo_core>};
const model::program p12{"spsc close: how many it refused, beside a get", {}, refused_beside_a_get<spsc_core>};
const model::program p13{
    "close: how many it refused, beside a cancellation", {}, refused_beside_a_cancellation<model_core>};
const model::program p14{
    "lifo close: how many it refused, beside a cancellation", {}, refused_beside_a_cancellation<lifo_core>};
const model::program p15{
    "spsc close: how many it refused, beside a cancellation", {}, refused_beside_a_cancellation<spsc_core>};
const model::program p16{"close: how many it refused, a rendezvous", {}, refused_where_they_meet<model_core>};
const model::program p17{"close: twice, then reserve", {}, closed_for_a_reserve<model_core>};
const model::program p18{"lifo close: twice, then reserve", {}, closed_for_a_reserve<lifo_core>};
const model::program p19{"close: twice, then get", {}, closed_for_a_get<model_core>};
const model::program p20{"lifo close: twice, then get", {}, closed_for_a_get<lifo_core>};
const model::program p21{
    "close: close_now beside a slot that a get waits for", {}, close_now_beside_a_slot<model_core>};
const model::program p22{
    "lifo close: close_now beside a slot that a get waits for", {}, close_now_beside_a_slot<lifo_core>};
const model::program p23{"close: a slot that nobody will get from", {}, abandoned_slot<model_core>};
const model::program p24{"lifo close: a slot that nobody will get from", {}, abandoned_slot<lifo_core>};
const model::program p25{"spsc close: a slot that nobody will get from", {}, abandoned_slot<spsc_core>};

}  // namespace

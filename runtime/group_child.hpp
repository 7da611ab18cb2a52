#pragma once
// A child of a group: placed in the group's roster, by which whoever cancels or looks finds it.

#include <sluice/queues/errors.hpp>
#include <sluice/runtime/runtime.hpp>

#include <cstdint>
#include <memory>

namespace sluice {

class task_group;

namespace impl {

struct roster_page;

/// The root of its coroutine, in memory like that of frames.
class group_child final : public root_context {
 public:
  group_child(task_group& of, runtime_core& core, const char* task_name, const char* task_file,
              unsigned task_line) noexcept;

  std::coroutine_handle<> finished(std::coroutine_handle<> frame, task_context&) noexcept override;
  void free() noexcept {
    std::destroy_at(this);
    free_frame(this, sizeof(group_child));
  }

  task_group& group;
  const char* name;
  const char* file;
  union {                        // the roster's
    roster_page* page;           // while it is there
    group_child* next_leftover;  // afterwards
  };
  [[no_unique_address]] result<void> outcome;  // so that what follows uses its padding
  std::uint8_t place = 0;                      // the roster's
  const unsigned line;
};
static_assert(sizeof(void*) != 8 || sizeof(group_child) <= 128);

}  // namespace impl
}  // namespace sluice

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
  const unsigned line;
  // The roster's.
  std::uint32_t place = 0;
  roster_page* page = nullptr;
  group_child* next_leftover = nullptr;
  result<void> outcome;
};

}  // namespace impl
}  // namespace sluice

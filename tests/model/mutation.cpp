// See mutation.hpp.

#include <sluice/model/mutation.hpp>

#include <cstring>

namespace model {
namespace {

const mutant* active = nullptr;
access_site* noted = nullptr;
std::uint32_t room_for = 0;
std::uint32_t* noted_count = nullptr;

bool same_place(const access_site& a, const access_site& b) noexcept {
  return a.where.line == b.where.line && a.where.column == b.where.column && a.what == b.what &&
         (a.where.file == b.where.file || std::strcmp(a.where.file, b.where.file) == 0);
}

void note(const access_site& s) noexcept {
  if (thread_index() <= 0 || library_path(s.where.file) == nullptr) return;  // alone, no order matters
  for (std::uint32_t i = 0; i < *noted_count; ++i) {
    if (same_place(noted[i], s)) return;
  }
  if (*noted_count < room_for) noted[(*noted_count)++] = s;
}

}  // namespace

bool mutation::watching_ = false;

void mutation::activate(const mutant* m) noexcept {
  active = m;
  watching_ = m != nullptr;
}

void mutation::note_sites(access_site* to, std::uint32_t room, std::uint32_t* reached) noexcept {
  noted = to;
  room_for = room;
  noted_count = reached;
  watching_ = true;
}

treatment mutation::treat_watched(const access_site& s) noexcept {
  if (noted != nullptr) note(s);
  treatment t{s.success, s.failure};
  if (active == nullptr || !same_place(active->of, s)) return t;
  switch (active->how) {
    case spoiling::weaker:
      t.success = active->to;
      break;
    case spoiling::weaker_failure:
      t.failure = active->to;
      break;
    case spoiling::blind:
    case spoiling::dropped:
      t.spoilt = true;
      break;
  }
  return t;
}

const char* library_path(const char* file) noexcept {
  if (file == nullptr) return nullptr;
  const char* name = std::strrchr(file, '/');
  if (name == nullptr) return nullptr;
  const char* folder = name;
  while (folder != file && folder[-1] != '/') --folder;
  constexpr char tests[] = "tests/";
  if (folder - file >= 6 && std::strncmp(folder - 6, tests, 6) == 0) return nullptr;
  for (const char* layer : {"queues/", "scheduler/", "runtime/"}) {
    if (std::strncmp(folder, layer, std::strlen(layer)) == 0) return folder;
  }
  return nullptr;
}

}  // namespace model

#pragma once
// SHA-256 by OpenSSL, with one context that is used again for every file.

#include "manifest.hpp"

#include <cstddef>
#include <memory>

struct evp_md_st;
struct evp_md_ctx_st;

namespace sum {

/// One computation at a time, by one thread at a time. Throws std::runtime_error if OpenSSL refuses.
class sha256 {
 public:
  sha256();
  void start();  // forgets what was added before
  void add(const void* data, std::size_t size);
  digest finish();

 private:
  struct free_algorithm {
    void operator()(evp_md_st* m) const noexcept;
  };
  struct free_context {
    void operator()(evp_md_ctx_st* c) const noexcept;
  };
  // Fetched once: an implicit fetch by every start() costs more than hashing a small file.
  std::unique_ptr<evp_md_st, free_algorithm> algorithm_;
  std::unique_ptr<evp_md_ctx_st, free_context> context_;
};

}  // namespace sum

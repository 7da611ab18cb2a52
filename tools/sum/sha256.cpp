#include "sha256.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdexcept>
#include <string>

namespace sum {
namespace {

void check(bool worked) {
  if (worked) return;
  const char* reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error(std::string("OpenSSL cannot compute SHA-256: ") + (reason ? reason : "no reason given"));
}

}  // namespace

void sha256::free_algorithm::operator()(evp_md_st* m) const noexcept { EVP_MD_free(m); }
void sha256::free_context::operator()(evp_md_ctx_st* c) const noexcept { EVP_MD_CTX_free(c); }

sha256::sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  check(algorithm_ != nullptr && context_ != nullptr);
}

void sha256::start() { check(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1); }

void sha256::add(const void* data, std::size_t size) { check(EVP_DigestUpdate(context_.get(), data, size) == 1); }

digest sha256::finish() {
  digest value{};
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(context_.get(), value.data(), &size) == 1 && size == value.size());
  return value;
}

}  // namespace sum

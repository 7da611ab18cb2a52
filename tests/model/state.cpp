#include <sluice/model/state.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <system_error>

namespace model {
namespace {

namespace fs = std::filesystem;

constexpr const char* title = "sluice model state 1";

// FNV-1a.
std::uint64_t checksum(const std::string& text, std::uint64_t sum = 0xCBF29CE484222325u) {
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return sum;
}

template <class T>
void put(std::ostream& to, const char* name, const std::vector<T>& numbers) {
  to << name;
  for (const T n : numbers) to << ' ' << n;
  to << '\n';
}

template <class T>
bool take(std::istream& from, const std::string& name, std::vector<T>& numbers) {
  std::string line;
  if (!std::getline(from, line) || !line.starts_with(name)) return false;
  std::istringstream rest{line.substr(name.size())};
  numbers.clear();
  for (T n = 0; rest >> n;) numbers.push_back(n);
  return rest.eof();
}

bool take(std::istream& from, const std::string& name, std::uint64_t& number) {
  std::vector<std::uint64_t> one;
  if (!take(from, name, one) || one.size() != 1) return false;
  number = one.front();
  return true;
}

bool take(std::istream& from, const std::string& name, std::string& text) {
  std::string line;
  if (!std::getline(from, line) || !line.starts_with(name + " ")) return false;
  text = line.substr(name.size() + 1);
  return true;
}

std::string write(const record& r) {
  std::ostringstream to;
  to << title << "\nprogram " << r.program << "\nfingerprint " << r.fingerprint << "\never " << r.ever << "\ndone "
     << (r.done ? 1 : 0) << "\nhow " << (r.how.empty() ? "-" : r.how) << "\nphase " << r.phase << "\nbefore "
     << r.before << "\nexecutions " << r.at.executions << "\nredundant " << r.at.redundant << '\n';
  put(to, "outcomes", r.at.outcomes);
  put(to, "shared", r.at.shared);
  put(to, "trail", r.at.trail);
  return to.str();
}

bool read(const std::string& text, record& r) {
  std::istringstream from{text};
  std::string line;
  std::uint64_t done = 0;
  if (!std::getline(from, line) || line != title) return false;
  const bool whole = take(from, "program", r.program) && take(from, "fingerprint", r.fingerprint) &&
                     take(from, "ever", r.ever) && take(from, "done", done) && take(from, "how", r.how) &&
                     take(from, "phase", r.phase) && take(from, "before", r.before) &&
                     take(from, "executions", r.at.executions) && take(from, "redundant", r.at.redundant) &&
                     take(from, "outcomes", r.at.outcomes) && take(from, "shared", r.at.shared) &&
                     take(from, "trail", r.at.trail);
  r.done = done == 1;
  if (r.how == "-") r.how.clear();
  return whole && !std::getline(from, line);
}

std::string reason() { return std::generic_category().message(errno); }

std::string read_file(const fs::path& file, record& r) {
  std::ifstream from{file, std::ios::binary};
  std::ostringstream all;
  all << from.rdbuf();
  const std::string text = all.str();
  const std::size_t last = text.rfind("checksum ");
  if (!from || last == std::string::npos ||
      text.substr(last) != "checksum " + std::to_string(checksum(text.substr(0, last))) + "\n" ||
      !read(text.substr(0, last), r)) {
    return "The state file '" + file.string() +
           "' is spoiled. Delete it, and its program is searched from the beginning.";
  }
  return {};
}

}  // namespace

void record::begin_anew(std::uint64_t new_fingerprint) {
  record fresh;
  fresh.program = program;
  fresh.ever = ever;
  fresh.fingerprint = new_fingerprint;
  *this = fresh;
}

std::string record_folder::open() {
  std::error_code error;
  fs::create_directories(path_, error);
  const std::string lock = path_ + "/lock";
  const int file = ::open(lock.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (file < 0) {
    return "The folder '" + path_ + "' cannot be used (" + reason() + "). Choose another one with --state FOLDER.";
  }
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {  // stays open: the lock is the process's and its children's
    return "Another nightly run uses '" + path_ + "'. Wait for its end or choose another folder with --state FOLDER.";
  }
  return {};
}

std::string record_folder::load(const std::string& program, record& r) const {
  r = {};
  r.program = program;
  const std::string file = file_of(program);
  std::error_code error;
  if (!fs::exists(file, error)) return {};
  std::string wrong = read_file(file, r);
  if (wrong.empty() && r.program != program) {
    wrong = "The state file '" + file + "' is of '" + r.program + "'. Delete it, and both are searched anew.";
  }
  return wrong;
}

std::string record_folder::save(const record& r) const {
  const std::string file = file_of(r.program);
  const std::string text = write(r);
  std::ofstream to{file + ".new", std::ios::binary | std::ios::trunc};
  to << text << "checksum " << checksum(text) << '\n';
  to.close();
  if (!to || std::rename((file + ".new").c_str(), file.c_str()) != 0) {
    return "The state file '" + file + "' cannot be written (" + reason() + "). Make room, or choose another folder.";
  }
  return {};
}

std::string record_folder::total(std::uint64_t& executions) const {
  executions = 0;
  for (const auto& entry : fs::directory_iterator{path_}) {
    if (entry.path().extension() != ".state") continue;
    record r;
    std::string wrong = read_file(entry.path(), r);
    if (!wrong.empty()) return wrong;
    executions += r.ever;
  }
  return {};
}

// Readable, and different for different names.
std::string record_folder::file_of(const std::string& program) const {
  std::string name;
  for (const char c : program) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) name += c;
    if (!plain && !name.empty() && name.back() != '_') name += '_';
  }
  std::ostringstream number;
  number << std::hex << (checksum(program) & 0xFFFFFFFF);
  return path_ + "/" + name.substr(0, 80) + "-" + number.str() + ".state";
}

std::uint64_t fingerprint(const std::string& settings) {
  std::ifstream binary{"/proc/self/exe", std::ios::binary};
  std::ostringstream all;
  all << binary.rdbuf();
  return checksum(settings, checksum(all.str()));
}

}  // namespace model

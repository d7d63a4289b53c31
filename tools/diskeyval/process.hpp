#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// Programs that a test starts.
namespace raftlab::diskeyval::test {

struct Launch {
  std::vector<std::string> words;        ///< the program's path first
  std::vector<std::string> environment;  ///< beside the test's own: NAME=value
  std::string errors;                    ///< a file that stderr is added to
  std::string output;                    ///< a file that stdout is added to; empty: where the test's goes
};

/// The process dies with the thread that starts it, so that nothing is left of a test that is killed: start it from one that
/// lives as long as the test.
inline pid_t launch(const Launch& what) {
  std::vector<char*> words;
  for (const std::string& word : what.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::vector<char*> variables;
  for (const std::string& variable : what.environment)
    variables.push_back(const_cast<char*>(variable.c_str()));
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  variables.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("cannot start " + what.words.front());
  if (process > 0) return process;
  // Only what a signal handler may call from here on: another thread may have held a lock of malloc's.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const auto append_to = [](const std::string& file, int descriptor) {
    if (file.empty()) return;
    const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (opened < 0 || ::dup2(opened, descriptor) < 0) ::_exit(127);
  };
  append_to(what.errors, STDERR_FILENO);
  append_to(what.output, STDOUT_FILENO);
  ::execve(words.front(), words.data(), variables.data());
  ::_exit(127);
}

/// How a process ended: its exit code, or minus the signal that ended it. None: it has not.
inline std::optional<int> ended(pid_t process) {
  int how = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(process, &how, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0) throw std::runtime_error(std::string("waitpid: ") + std::strerror(errno));
  if (reaped == 0) return std::nullopt;
  return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

/// Waits until it ends; none: it did not in all this time.
inline std::optional<int> wait_for_end(pid_t process, std::chrono::seconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const std::optional<int> how = ended(process);
    if (how || std::chrono::steady_clock::now() > until) return how;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// Runs a program to its end. What it prints on stdout; throws with what it says on stderr when it fails.
inline std::string run(const std::string& program, const std::vector<std::string>& arguments) {
  const auto in_memory = [](const char* name) {
    const int file = ::memfd_create(name, MFD_CLOEXEC);
    if (file < 0) throw std::runtime_error("no memory for a file");
    return file;
  };
  const auto text_of = [](int file) {
    std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
    const ssize_t count = ::pread(file, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    ::close(file);
    return text;
  };
  const int output = in_memory("output");
  const int errors = in_memory("errors");
  const std::string self = "/proc/" + std::to_string(::getpid()) + "/fd/";
  Launch what;
  what.words.push_back(program);
  what.words.insert(what.words.end(), arguments.begin(), arguments.end());
  what.output = self + std::to_string(output);
  what.errors = self + std::to_string(errors);
  const pid_t process = launch(what);
  const std::optional<int> how = wait_for_end(process, std::chrono::seconds(30));
  if (!how) {
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
  std::string said = text_of(output);
  const std::string complaints = text_of(errors);
  if (how != 0) throw std::runtime_error(program + ": " + complaints);
  return said;
}

}  // namespace raftlab::diskeyval::test

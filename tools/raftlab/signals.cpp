#include "tools/raftlab/signals.hpp"

#include <csignal>

namespace raftlab::tool {
namespace {

std::atomic<int> noted{0};
std::atomic<bool> stop{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "only lock-free atomics may be touched by a signal handler");

extern "C" void note_signal(int signal) {
  noted = signal;
  stop = true;
}

}  // namespace

void watch_signals() {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    action.sa_handler = note_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

int noted_signal() { return noted; }

const std::atomic<bool>& signal_stop() { return stop; }

const char* signal_name(int signal) {
  return signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "";
}

}  // namespace raftlab::tool

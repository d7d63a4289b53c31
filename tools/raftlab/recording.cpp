#include "tools/raftlab/recording.hpp"

#include "tools/version/version.hpp"

#include <ctime>

namespace raftlab::tool {

simulator::TraceHeader trace_header(std::uint64_t seed, const simulator::Profile& profile, bool checks) {
  simulator::TraceHeader header;
  header.seed = seed;
  header.version = version::number();
  header.commit = version::commit();
  header.compiler = version::compiler();
  header.build_type = version::build_type();
  header.checks = checks;
  header.profile = profile;
  return header;
}

std::int64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace raftlab::tool

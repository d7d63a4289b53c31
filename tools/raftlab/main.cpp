#include "tools/raftlab/app.hpp"

#include <cstdlib>  // says whether the C library is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

int main(int count, char** arguments) {
#ifdef __GLIBC__
  // A run's files and logs grow into the same memory as those of the run before. By default the larger ones are given back to
  // the system each time and fetched anew page by page, which costs a tenth of the time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  return raftlab::tool::run(count, arguments);
}

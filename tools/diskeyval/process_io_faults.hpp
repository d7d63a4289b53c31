#pragma once

#include "tools/diskeyval/io_faults/control.hpp"
#include "tools/diskeyval/process.hpp"
#include "tools/diskeyval/process_cluster.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::diskeyval::test {

using io_faults::Fault;

/// The disk of one node's log, or of its snapshots, which a test can make fail: the node's end of it is io_faults/io_faults.cpp.
class FaultyDisk {
 public:
  FaultyDisk() {
    if (file_ < 0 || ::ftruncate(file_, sizeof(io_faults::Control)) != 0)
      throw std::runtime_error("no file for the control of a disk");
    void* const at =
        ::mmap(nullptr, sizeof(io_faults::Control), PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (at == MAP_FAILED) throw std::runtime_error("the control of a disk cannot be mapped");
    control_ = new (at) io_faults::Control;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk() {
    ::munmap(control_, sizeof(io_faults::Control));
    ::close(file_);
  }

  void fail(Fault fault, std::uint64_t amount = 0) {
    control_->amount = amount;
    control_->fault = fault;
  }
  void work_again() { control_->fault = Fault::none; }
  [[nodiscard]] const io_faults::Control& seen() const { return *control_; }

  /// Puts the faults before a program that keeps its files in this directory.
  void come_before(Launch& what, const fs::path& directory) const {
    const fs::path shim = ProcessCluster::program().parent_path() / "libdiskeyval_io_faults.so";
    if (!fs::exists(shim)) throw std::runtime_error(shim.string() + " is missing");
    what.environment.push_back("LD_PRELOAD=" + shim.string());
    what.environment.push_back(std::string(io_faults::control_variable) + "=/proc/" +
                               std::to_string(::getpid()) + "/fd/" + std::to_string(file_));
    what.environment.push_back(std::string(io_faults::directory_variable) + '=' + directory.string());
    // A sanitizer wants its own library to be the first one, where that matters; here it does not.
    const char* options = std::getenv("ASAN_OPTIONS");
    what.environment.push_back(std::string("ASAN_OPTIONS=") + (options == nullptr ? "" : options) +
                               ":verify_asan_link_order=0");
  }

 private:
  // In memory, so that it is gone with the test, however that ends.
  const int file_ = ::memfd_create("io-faults", MFD_CLOEXEC);
  io_faults::Control* control_ = nullptr;
};

}  // namespace raftlab::diskeyval::test

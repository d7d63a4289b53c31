#pragma once

#include "tools/diskeyval/io_faults/control.hpp"
#include "tools/diskeyval/process.hpp"
#include "tools/diskeyval/process_cluster.hpp"

#include <fcntl.h>
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
    std::string name = (fs::temp_directory_path() / "diskeyval-io-faults-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) throw std::runtime_error("no file for the control of a disk");
    path_ = name;
    const bool long_enough = ::ftruncate(file, sizeof(io_faults::Control)) == 0;
    void* const at = ::mmap(nullptr, sizeof(io_faults::Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (!long_enough || at == MAP_FAILED) throw std::runtime_error("the control of a disk cannot be mapped");
    control_ = new (at) io_faults::Control;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk() {
    ::munmap(control_, sizeof(io_faults::Control));
    fs::remove(path_);
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
    what.environment.push_back(std::string(io_faults::control_variable) + '=' + path_.string());
    what.environment.push_back(std::string(io_faults::directory_variable) + '=' + directory.string());
    // A sanitizer wants its own library to be the first one, where that matters; here it does not.
    const char* options = std::getenv("ASAN_OPTIONS");
    what.environment.push_back(std::string("ASAN_OPTIONS=") + (options == nullptr ? "" : options) +
                               ":verify_asan_link_order=0");
  }

 private:
  fs::path path_;
  io_faults::Control* control_ = nullptr;
};

}  // namespace raftlab::diskeyval::test

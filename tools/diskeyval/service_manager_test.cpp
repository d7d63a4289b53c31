#include "tools/diskeyval/service_manager.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace raftlab::diskeyval {
namespace {

class ServiceManager : public testing::Test {
 public:
  ~ServiceManager() override {
    ::unsetenv("NOTIFY_SOCKET");
    if (socket >= 0) ::close(socket);
  }

 protected:
  void listen() {
    const std::string name = "@diskeyval-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  [[nodiscard]] std::string heard() const {
    std::array<char, 64> bytes{};
    const ssize_t size = ::recv(socket, bytes.data(), bytes.size(), 0);
    return size < 0 ? "nothing" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }
  int socket = -1;
};

TEST_F(ServiceManager, HearsWhatItIsTold) {
  listen();
  tell_service_manager("READY=1");
  EXPECT_EQ(heard(), "READY=1");
  tell_service_manager("STOPPING=1");
  EXPECT_EQ(heard(), "STOPPING=1");
  EXPECT_EQ(heard(), "nothing");
}

TEST_F(ServiceManager, IsNotNeeded) {
  tell_service_manager("READY=1");
  for (const char* name : {"", "/", "/nonexistent/socket"}) {
    ::setenv("NOTIFY_SOCKET", name, 1);
    tell_service_manager("READY=1");
  }
  ::setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  tell_service_manager("READY=1");
}

}  // namespace
}  // namespace raftlab::diskeyval

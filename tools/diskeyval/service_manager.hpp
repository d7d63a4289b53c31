#pragma once

#include <string_view>

namespace raftlab::diskeyval {

/// Tells the service manager that started this process ("READY=1", "STOPPING=1"), as sd_notify(3) does: a datagram to the
/// socket that NOTIFY_SOCKET names. Without one, or when it cannot be reached, nothing happens. Any thread.
void tell_service_manager(std::string_view state);

}  // namespace raftlab::diskeyval

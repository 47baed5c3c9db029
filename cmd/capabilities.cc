#include "cmd/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace procevent {
namespace {

constexpr std::string_view kRemedy = "a security policy forbids it: allow it, or start with fewer capabilities";

using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

std::uint32_t WordOf(std::uint64_t set, std::size_t index) { return static_cast<std::uint32_t>(set >> (32U * index)); }

}  // namespace

Capabilities Only(std::uint64_t wanted, const Capabilities& had) {
  return {.effective = wanted & had.permitted, .permitted = wanted & had.permitted, .inheritable = 0};
}

Result<Capabilities> OwnCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Words words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) {
    return Error{"read the capabilities", errno, kRemedy};
  }
  Capabilities own;
  for (std::size_t i = words.size(); i-- > 0;) {
    own.effective = own.effective << 32U | words.at(i).effective;
    own.permitted = own.permitted << 32U | words.at(i).permitted;
    own.inheritable = own.inheritable << 32U | words.at(i).inheritable;
  }
  return own;
}

Status SetOwnCapabilities(const Capabilities& wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Words words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words.at(i) = {WordOf(wanted.effective, i), WordOf(wanted.permitted, i), WordOf(wanted.inheritable, i)};
  }
  if (::syscall(SYS_capset, &header, words.data()) != 0) {
    return Error{"drop capabilities", errno, kRemedy};
  }
  return Success{};
}

Status ForbidGain() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Error{"set no_new_privs", errno, "an exec could gain privilege, though there is none here"};
  }
  return Success{};
}

void EmptyBounds() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // Beyond the last that the kernel knows it says EINVAL; without CAP_SETPCAP it refuses each.
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

}  // namespace procevent

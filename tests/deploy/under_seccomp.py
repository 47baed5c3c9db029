#!/usr/bin/env python3
"""Starts a program with a container's seccomp profile: under_seccomp.py PROFILE ACTION PROGRAM [ARGUMENT...].

ACTION applies to calls that the profile does not allow: `errno` as in the profile, or `kill`, which no program can
ignore. Uses libseccomp as container runtimes do; apt depends on it, so every Debian has it.
"""

import ctypes
import json
import os
import sys

ALLOW = 0x7FFF0000
KILL = 0x80000000
COMPARISONS = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}
UNKNOWN = -1  # __NR_SCMP_ERROR
EPERM = 1


class Comparison(ctypes.Structure):
    """libseccomp's scmp_arg_cmp."""

    _fields_ = [("index", ctypes.c_uint), ("op", ctypes.c_int), ("value", ctypes.c_uint64),
                ("value_two", ctypes.c_uint64)]


def library():
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_init.argtypes = [ctypes.c_uint32]
    seccomp.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                               ctypes.POINTER(Comparison)]
    seccomp.seccomp_load.argtypes = [ctypes.c_void_p]
    return seccomp


def skip_reason():
    """The reason why libseccomp is not available, or None."""
    try:
        library()
    except OSError as error:
        return f"no libseccomp: {error}"
    return None


def failing(code):
    return 0x00050000 | code


def load(profile, kills):
    """Loads the profile for the calling process and the programs that it executes."""
    if profile["defaultAction"] != "SCMP_ACT_ERRNO":
        raise ValueError(f"unexpected default action: {profile['defaultAction']}")
    seccomp = library()
    context = seccomp.seccomp_init(KILL if kills else failing(EPERM))
    for rule in profile["syscalls"]:
        action = {"SCMP_ACT_ALLOW": ALLOW, "SCMP_ACT_ERRNO": failing(rule.get("errnoRet", EPERM))}[rule["action"]]
        arguments = [Comparison(argument["index"], COMPARISONS[argument["op"]], argument["value"],
                                argument.get("valueTwo", 0)) for argument in rule.get("args", [])]
        for name in rule["names"]:
            number = seccomp.seccomp_syscall_resolve_name(name.encode())
            if number == UNKNOWN:
                raise ValueError(f"unknown system call {name}")
            added = seccomp.seccomp_rule_add_array(context, action, number, len(arguments),
                                                   (Comparison * len(arguments))(*arguments))
            if added != 0 and number >= 0:  # negative: not a call of this architecture
                raise OSError(-added, f"add {name}")
    if (loaded := seccomp.seccomp_load(context)) != 0:
        raise OSError(-loaded, "seccomp_load")


def main():
    path, action, *command = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    load(profile, {"errno": False, "kill": True}[action])
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

// Runs programs whose last exec fails after the point of no return, for the live test of names:
//   failed_exec RUNS DESCRIPTORS GOOD BAD
// Each run executes GOOD, a copy of this program, which at once executes BAD: an ELF file that the kernel cannot map.
// The kernel has renamed the process to BAD by then, and kills it with SIGSEGV. Closing many descriptors makes that
// exit take long, and /proc shows BAD meanwhile. On any error it exits with 99.
#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace {

[[noreturn]] void Fail() { _exit(99); }

void Require(bool condition) {
  if (!condition) {
    Fail();
  }
}

// A static program whose only segment is beyond the user's addresses.
void WriteUnmappableProgram(const char* path) {
  struct {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
  } file{};
  std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS64;
  file.header.e_ident[EI_DATA] = ELFDATA2LSB;
  file.header.e_ident[EI_VERSION] = EV_CURRENT;
  file.header.e_type = ET_EXEC;
#ifdef __aarch64__
  file.header.e_machine = EM_AARCH64;
#else
  file.header.e_machine = EM_X86_64;
#endif
  file.header.e_version = EV_CURRENT;
  file.header.e_phoff = sizeof(Elf64_Ehdr);
  file.header.e_ehsize = sizeof(Elf64_Ehdr);
  file.header.e_phentsize = sizeof(Elf64_Phdr);
  file.header.e_phnum = 1;
  file.segment.p_type = PT_LOAD;
  file.segment.p_flags = PF_R | PF_X;
  file.segment.p_vaddr = 0xFFFF'8000'0000'0000;
  file.segment.p_filesz = sizeof file;
  file.segment.p_memsz = sizeof file;
  file.segment.p_align = 0x1000;
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  Require(fd >= 0 && write(fd, &file, sizeof file) == sizeof file && close(fd) == 0);
}

void OpenDescriptors(int count) {
  const rlimit limit{static_cast<rlim_t>(count) + 64, static_cast<rlim_t>(count) + 64};
  Require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  int pipe_ends[2];
  for (int i = 0; i < count; i += 2) {
    Require(pipe(pipe_ends) == 0);
  }
}

int Run(int descriptors, const char* good, const char* bad) {
  const pid_t child = fork();
  Require(child >= 0);
  if (child == 0) {
    OpenDescriptors(descriptors);  // its own: closing the last reference of a pipe takes long
    // An event just before the exec: the reader drains the next ones, and reads /proc, a drain interval later.
    prctl(PR_SET_NAME, "before-exec");
    usleep(500);
    execl(good, good, bad, nullptr);
    Fail();
  }
  int status = 0;
  Require(waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    execl(argv[1], argv[1], nullptr);
    Fail();
  }
  Require(argc == 5);
  WriteUnmappableProgram(argv[4]);
  for (int i = 0; i < std::atoi(argv[1]); ++i) {
    Require(WTERMSIG(Run(std::atoi(argv[2]), argv[3], argv[4])) == SIGSEGV);
  }
  return 0;
}

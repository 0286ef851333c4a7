#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local void *clinux_thread_loop = NULL;

int clinux_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
  return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_pipe(int descriptors[2], int nonblocking) {
  return pipe2(descriptors, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

int clinux_set_thread_name(const char *name) {
  char short_name[16];
  strncpy(short_name, name, sizeof short_name - 1);
  short_name[sizeof short_name - 1] = 0;
  return pthread_setname_np(pthread_self(), short_name);
}

int clinux_random(void *buffer, size_t length) {
  unsigned char *next = buffer;
  while (length > 0) {
    ssize_t count = getrandom(next, length, 0);
    if (count < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    next += count;
    length -= (size_t)count;
  }
  return 0;
}

int clinux_available_cores(void) {
  // A set for 8,192 cores: cpu_set_t alone holds 1,024, and the call fails on a machine with more.
  size_t size = CPU_ALLOC_SIZE(8192);
  cpu_set_t *set = CPU_ALLOC(8192);
  if (set == NULL) return 1;
  int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 1;
  CPU_FREE(set);
  return count > 0 ? count : 1;
}

int clinux_unacknowledged_bytes(int descriptor) {
  int count = 0;
  return ioctl(descriptor, SIOCOUTQ, &count) == 0 ? count : -1;
}

ssize_t clinux_send(int descriptor, const void *bytes, size_t length) {
  return syscall(SYS_sendto, descriptor, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
}

const void *clinux_find(const void *haystack, size_t haystack_length, const void *needle,
                        size_t needle_length) {
  return memmem(haystack, haystack_length, needle, needle_length);
}

int clinux_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

int clinux_ignore_sigpipe(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  return sigaction(SIGPIPE, &action, NULL);
}

// The Linux system calls that Swift's Glibc module leaves out.
//
// Headers that need no feature macro are re-exported as they are. What glibc shows only under _GNU_SOURCE is
// wrapped in CLinux.c: defining the macro here would change how these headers import into Swift.
#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>

// Only what Swift looks at closely says whether it may be NULL.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC.
int clinux_accept(int descriptor, struct sockaddr *address, socklen_t *length);

/// pipe2(2) with O_CLOEXEC, and O_NONBLOCK when `nonblocking` is not 0.
int clinux_pipe(int descriptors[2], int nonblocking);

/// Names the calling thread; the kernel keeps the first 15 bytes.
int clinux_set_thread_name(const char *name);

/// getrandom(2): fills all of `buffer`; 0, or -1 with errno set.
int clinux_random(void *buffer, size_t length);

/// How many cores this process may run on (sched_getaffinity); at least 1.
int clinux_available_cores(void);

/// SIOCOUTQ: bytes in the socket's send queue that the peer has not acknowledged; -1 with errno set.
int clinux_unacknowledged_bytes(int descriptor);

/// First occurrence of `needle` in `haystack`, or NULL.
const void *clinux_find(const void *haystack, size_t haystack_length, const void *needle,
                        size_t needle_length);

/// sendto(2) to a connected socket with MSG_NOSIGNAL | MSG_DONTWAIT; -1 with errno set.
///
/// Not glibc's send(): that is a cancellation point, and in a program with threads each call pays two atomic
/// exchanges for it. Nobody cancels a loop's thread.
ssize_t clinux_send(int descriptor, const void *bytes, size_t length);

/// prctl(PR_SET_PDEATHSIG): the calling process gets `signal` when its parent dies.
int clinux_set_parent_death_signal(int signal);

/// sigaction(SIGPIPE, SIG_IGN).
int clinux_ignore_sigpipe(void);

/// The event loop that runs on the calling thread, or NULL. Only the loop itself writes it.
extern _Thread_local void *_Nullable clinux_thread_loop;

static inline void *_Nullable clinux_current_loop(void) { return clinux_thread_loop; }
static inline void clinux_set_current_loop(void *_Nullable loop) { clinux_thread_loop = loop; }

#pragma clang diagnostic pop

#endif

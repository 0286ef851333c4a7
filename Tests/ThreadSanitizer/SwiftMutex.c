// Tells the thread sanitizer what Swift's `Mutex` does.
//
// A Mutex that nobody else wants is locked and unlocked by atomic operations compiled into the caller, which
// the sanitizer sees. A contended one goes through two functions of libswiftSynchronization, where the kernel
// hands the lock over (FUTEX_LOCK_PI); the library is not instrumented, so what the lock guards looks like a
// race. These two stand in front of the library's, and say which happened before which.
//
// Only in builds for the thread sanitizer (Package.swift).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// Synchronization._MutexHandle._lockSlow(Swift.UInt32) -> ()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
// Synchronization._MutexHandle._unlockSlow() -> ()
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef __attribute__((swiftcall)) void LockSlow(uint32_t thread, __attribute__((swift_context)) void *mutex);
typedef __attribute__((swiftcall)) void UnlockSlow(__attribute__((swift_context)) void *mutex);

__attribute__((swiftcall)) void lockSlow(uint32_t thread, __attribute__((swift_context)) void *mutex)
    __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void unlockSlow(__attribute__((swift_context)) void *mutex) __asm__(UNLOCK_SLOW);

static LockSlow *originalLock;
static UnlockSlow *originalUnlock;

__attribute__((constructor)) static void find(void) {
  originalLock = (LockSlow *)dlsym(RTLD_NEXT, LOCK_SLOW);
  originalUnlock = (UnlockSlow *)dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

__attribute__((swiftcall)) void lockSlow(uint32_t thread, __attribute__((swift_context)) void *mutex) {
  originalLock(thread, mutex);
  __tsan_acquire(mutex);
}

__attribute__((swiftcall)) void unlockSlow(__attribute__((swift_context)) void *mutex) {
  __tsan_release(mutex);
  originalUnlock(mutex);
}

/* Catches what an audio thread must not do in real time. Preloaded by tests (LD_PRELOAD) into any host; the plugin, built
 * with the feature `trap`, calls demon_trap_enter and demon_trap_leave around its real-time calls.
 *
 * Two nets. Library calls that may allocate, lock, wait or do input and output are interposed: they need not reach the
 * kernel to be wrong. And while inside, every system call of the thread is dispatched back to us (Syscall User Dispatch,
 * Linux 5.11), whoever makes it; it is counted and then carried out.
 *
 * At exit a process that was inside at all appends to the file named by DEMON_TRAP_LOG: the number of entries, whether
 * system calls were watched, and one line per kind of call that was caught.
 *
 * cc -O2 -shared -fPIC -o trap.so trap.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define LOCAL_TLS __thread __attribute__((tls_model("initial-exec")))

enum { SYSCALLS = 512 };

/* name and what is wrong with it on an audio thread */
#define CALLS(X)                                                                                                        \
    X(malloc, "allocates") X(calloc, "allocates") X(realloc, "allocates") X(free, "returns memory")                     \
    X(posix_memalign, "allocates") X(aligned_alloc, "allocates")                                                        \
    X(pthread_mutex_lock, "may block") X(pthread_rwlock_rdlock, "may block") X(pthread_rwlock_wrlock, "may block")      \
    X(pthread_cond_wait, "waits") X(pthread_cond_timedwait, "waits") X(pthread_cond_signal, "enters the kernel")        \
    X(pthread_cond_broadcast, "enters the kernel") X(nanosleep, "sleeps") X(clock_nanosleep, "sleeps")                  \
    X(usleep, "sleeps") X(sched_yield, "gives the processor away") X(open, "does input and output")                     \
    X(read, "does input and output") X(write, "does input and output") X(sendmsg, "does input and output")              \
    X(syscall, "enters the kernel")

enum call {
#define ID(name, why) CALL_##name,
    CALLS(ID)
#undef ID
    CALL_COUNT
};

static const char *const NAMES[CALL_COUNT] = {
#define NAME(name, why) #name ": " why,
    CALLS(NAME)
#undef NAME
};

static uint64_t caught[CALL_COUNT];
static uint64_t dispatched[SYSCALLS];
static uint64_t entries;
static int watched = -1; /* -1 nobody entered, 0 the kernel refused, 1 armed */

static LOCAL_TLS int depth;
static LOCAL_TLS int armed;
static LOCAL_TLS volatile char selector;

static void count(enum call call) {
    if (depth > 0) __atomic_fetch_add(&caught[call], 1, __ATOMIC_RELAXED);
}

/* ---- system calls ---- */

#if defined(__x86_64__) && defined(SYS_gettid)
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
enum { ALLOW = 0, BLOCK = 1, SYSCALL_INSTRUCTION_BYTES = 2 };

/* The only code whose system calls are never dispatched: our own, and the return from the handler. */
long trap_raw(long number, long a, long b, long c, long d, long e, long f);
void trap_restore(void);
extern const char trap_open_begin[], trap_open_end[];
__asm__(".pushsection .text.trap_open,\"ax\",@progbits\n"
        ".globl trap_open_begin, trap_open_end, trap_raw, trap_restore\n"
        ".hidden trap_open_begin, trap_open_end, trap_raw, trap_restore\n"
        "trap_open_begin:\n"
        "trap_raw:\n"
        "  mov %rdi, %rax\n"
        "  mov %rsi, %rdi\n"
        "  mov %rdx, %rsi\n"
        "  mov %rcx, %rdx\n"
        "  mov %r8, %r10\n"
        "  mov %r9, %r8\n"
        "  mov 8(%rsp), %r9\n"
        "  syscall\n"
        "  ret\n"
        "trap_restore:\n"
        "  mov $15, %rax\n" /* rt_sigreturn */
        "  syscall\n"
        "  nop\n" /* the kernel compares the address behind the instruction */
        "trap_open_end:\n"
        ".popsection\n");

static int starts_elsewhere(long number) {
    return number == SYS_clone || number == SYS_clone3 || number == SYS_fork || number == SYS_vfork ||
           number == SYS_rt_sigreturn || number == SYS_execve || number == SYS_exit || number == SYS_exit_group;
}

static void on_syscall(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    long number = info->si_syscall;
    __atomic_fetch_add(&dispatched[number >= 0 && number < SYSCALLS ? number : SYSCALLS - 1], 1, __ATOMIC_RELAXED);
    if (starts_elsewhere(number)) {
        /* Cannot be carried out from here: let it run, unwatched until the next entry. */
        selector = ALLOW;
        registers[REG_RAX] = number;
        registers[REG_RIP] -= SYSCALL_INSTRUCTION_BYTES;
        return;
    }
    registers[REG_RAX] = trap_raw(number, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX], registers[REG_R10],
                                  registers[REG_R8], registers[REG_R9]);
}

/* The kernel's own structure: the C library would put its own return code, which is watched, into it. */
struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static int arm(void) {
    const unsigned long restorer_given = 0x04000000;
    struct kernel_action action = {on_syscall, SA_SIGINFO | SA_NODEFER | SA_ONSTACK | restorer_given, trap_restore, 0};
    uint64_t unblock = 1ull << (SIGSYS - 1);
    trap_raw(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&unblock, 0, sizeof unblock, 0, 0);
    if (trap_raw(SYS_rt_sigaction, SIGSYS, (long)&action, 0, sizeof action.mask, 0, 0) != 0) return 0;
    selector = ALLOW;
    return trap_raw(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (long)trap_open_begin,
                    trap_open_end - trap_open_begin, (long)&selector, 0) == 0;
}
#else
enum { ALLOW = 0, BLOCK = 1 };
static int arm(void) { return 0; }
#endif

EXPORT void demon_trap_enter(void) {
    if (armed == 0) {
        armed = arm() ? 1 : -1;
        __atomic_store_n(&watched, armed == 1, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&entries, 1, __ATOMIC_RELAXED);
    depth++;
    if (armed == 1) selector = BLOCK;
}

EXPORT void demon_trap_leave(void) {
    if (depth > 0 && --depth == 0) selector = ALLOW;
}

/* How many calls were caught so far. */
EXPORT uint64_t demon_trap_caught(void) {
    uint64_t sum = 0;
    for (int call = 0; call < CALL_COUNT; call++) sum += __atomic_load_n(&caught[call], __ATOMIC_RELAXED);
    for (int number = 0; number < SYSCALLS; number++) sum += __atomic_load_n(&dispatched[number], __ATOMIC_RELAXED);
    return sum;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("DEMON_TRAP_LOG");
    if (path == NULL || entries == 0) return;
    FILE *log = fopen(path, "a");
    if (log == NULL) return;
    fprintf(log, "entries %llu\n", (unsigned long long)entries);
    fprintf(log, "syscalls %s\n", watched == 1 ? "watched" : "unwatched");
    for (int call = 0; call < CALL_COUNT; call++) {
        if (caught[call] > 0) fprintf(log, "caught %llu %s\n", (unsigned long long)caught[call], NAMES[call]);
    }
    for (int number = 0; number < SYSCALLS; number++) {
        if (dispatched[number] > 0)
            fprintf(log, "caught %llu system call %d: enters the kernel\n", (unsigned long long)dispatched[number], number);
    }
    fclose(log);
}

/* ---- library calls ---- */

/* Looking a symbol up may itself allocate, so it happens once, before anybody is inside. */
#define REAL(name) static __typeof__(&name) real_##name;
REAL(pthread_mutex_lock)
REAL(pthread_rwlock_rdlock)
REAL(pthread_rwlock_wrlock)
REAL(pthread_cond_wait)
REAL(pthread_cond_timedwait)
REAL(pthread_cond_signal)
REAL(pthread_cond_broadcast)
REAL(nanosleep)
REAL(clock_nanosleep)
REAL(usleep)
REAL(sched_yield)
REAL(open)
REAL(read)
REAL(write)
REAL(sendmsg)
REAL(syscall)
#undef REAL

#define FIND(name) real_##name = (__typeof__(real_##name))dlsym(RTLD_NEXT, #name)
/* Another library's constructor may call before ours has run. */
#define NEED(name)                                                                                                      \
    if (real_##name == NULL) FIND(name);

__attribute__((constructor)) static void find_all(void) {
    FIND(pthread_mutex_lock), FIND(pthread_rwlock_rdlock), FIND(pthread_rwlock_wrlock), FIND(nanosleep);
    FIND(clock_nanosleep), FIND(usleep), FIND(sched_yield), FIND(open), FIND(read), FIND(write), FIND(sendmsg);
    FIND(syscall);
    /* The conditions have an older version under the same name. */
    real_pthread_cond_wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
    real_pthread_cond_timedwait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    real_pthread_cond_signal = dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
    real_pthread_cond_broadcast = dlvsym(RTLD_NEXT, "pthread_cond_broadcast", "GLIBC_2.3.2");
    if (real_pthread_cond_wait == NULL) {
        FIND(pthread_cond_wait), FIND(pthread_cond_timedwait), FIND(pthread_cond_signal), FIND(pthread_cond_broadcast);
    }
}

/* glibc's own names for its allocator: usable before any lookup. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

EXPORT void *malloc(size_t size) {
    count(CALL_malloc);
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t items, size_t size) {
    count(CALL_calloc);
    return __libc_calloc(items, size);
}

EXPORT void *realloc(void *memory, size_t size) {
    count(CALL_realloc);
    return __libc_realloc(memory, size);
}

EXPORT void free(void *memory) {
    if (memory != NULL) count(CALL_free);
    __libc_free(memory);
}

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size) {
    count(CALL_posix_memalign);
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *got = __libc_memalign(alignment, size);
    if (got == NULL) return ENOMEM;
    *memory = got;
    return 0;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
    count(CALL_aligned_alloc);
    return __libc_memalign(alignment, size);
}

#define PASS_ON(type, name, parameters, arguments)                                                                      \
    EXPORT type name parameters {                                                                                       \
        count(CALL_##name);                                                                                             \
        NEED(name)                                                                                                      \
        return real_##name arguments;                                                                                   \
    }

PASS_ON(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
PASS_ON(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
PASS_ON(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
PASS_ON(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex), (condition, mutex))
PASS_ON(int, pthread_cond_timedwait,
        (pthread_cond_t * condition, pthread_mutex_t *mutex, const struct timespec *until), (condition, mutex, until))
PASS_ON(int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
PASS_ON(int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
PASS_ON(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
PASS_ON(int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),
        (clock, flags, time, left))
PASS_ON(int, usleep, (useconds_t time), (time))
PASS_ON(int, sched_yield, (void), ())
PASS_ON(ssize_t, read, (int file, void *bytes, size_t size), (file, bytes, size))
PASS_ON(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size))
PASS_ON(ssize_t, sendmsg, (int file, const struct msghdr *message, int flags), (file, message, flags))

EXPORT int open(const char *path, int flags, ...) {
    count(CALL_open);
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    NEED(open)
    return real_open(path, flags, mode);
}

EXPORT long syscall(long number, ...) {
    count(CALL_syscall);
    long a[6];
    va_list more;
    va_start(more, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(more, long);
    va_end(more);
    NEED(syscall)
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

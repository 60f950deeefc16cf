/* Does on purpose what the trap must catch, once inside and once outside, and prints how often it was caught. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void (*enter)(void), (*leave)(void);
static uint64_t (*caught)(void);
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *volatile memory;
static int file;

static void allocate(void) { memory = malloc(100); }
static void lock(void) { pthread_mutex_lock(&mutex); }
static void output(void) {
    if (write(file, "x", 1) != 1) abort();
}
static void wake(void) { syscall(SYS_futex, &mutex, FUTEX_WAKE, 1, NULL, NULL, 0); }
/* Behind the library's back: only the dispatch of system calls can see it. */
static void direct(void) {
#ifdef __x86_64__
    long number = SYS_getppid;
    __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
    if (number != getppid()) abort();
#endif
}
static void nothing(void) {}

static void *run(void *name_and_call) {
    void **pair = name_and_call;
    void (*call)(void) = (void (*)(void))pair[1];
    enter();
    uint64_t before = caught();
    call();
    uint64_t inside = caught() - before;
    leave();
    pthread_mutex_trylock(&mutex);
    pthread_mutex_unlock(&mutex);
    before = caught();
    call();
    printf("%s %d %d\n", (char *)pair[0], inside > 0, caught() != before);
    pthread_mutex_trylock(&mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void) {
    *(void **)&enter = dlsym(RTLD_DEFAULT, "demon_trap_enter");
    *(void **)&leave = dlsym(RTLD_DEFAULT, "demon_trap_leave");
    *(void **)&caught = dlsym(RTLD_DEFAULT, "demon_trap_caught");
    file = open("/dev/null", O_WRONLY);
    if (enter == NULL || leave == NULL || caught == NULL || file < 0) return 2;
    void *calls[][2] = {{"malloc", allocate}, {"mutex", lock}, {"write", output},
                        {"futex", wake}, {"direct", direct}, {"nothing", nothing}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        pthread_t thread; /* a thread of its own, as a host's audio thread is */
        if (pthread_create(&thread, NULL, run, calls[i]) != 0) return 2;
        pthread_join(thread, NULL);
    }
    return 0;
}

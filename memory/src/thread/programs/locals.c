/* As locals.rs, for a C library that no Rust target is there for. */
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread long large[40] = {7};
static pthread_barrier_t all;
static pthread_mutex_t line = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *name) {
    pthread_mutex_lock(&line);
    printf("thread %s %ld %p\n", name, (long)syscall(SYS_gettid), (void *)large);
    pthread_mutex_unlock(&line);
}

static void *run(void *name) {
    say(name);
    pthread_barrier_wait(&all);
    for (;;) pause();
}

int main(void) {
    static char *names[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"};
    pthread_barrier_init(&all, NULL, 9);
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, run, names[i]);
    }
    say("main");
    pthread_barrier_wait(&all);
    puts("ready");
    fflush(stdout);
    return getchar() == 0;
}

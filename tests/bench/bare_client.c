/* The least a client can do: one epoll, recv, a clock reading right after it, and the truth out of the chunk.
 *
 *     bare_client PORT STREAMS TOKENS      prints one line of JSON: stamp error in us, tokens, CPU per token in us
 *
 * What a program that stamps in user space cannot do much better than, for `test_stamps.py` to compare with.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK "\"content\":\""
#define MAX_FDS 65536

static int64_t *errors;
static size_t count, coalesced;

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Take what one read brought: only its last chunk has the time of the read for its own. */
static int take(const char *data, int64_t at) {
    int64_t last = 0;
    for (const char *found = data; (found = strstr(found, MARK)); found += sizeof MARK) {
        if (last) coalesced++;
        last = atoll(found + sizeof MARK - 1);
        if (last) count++;
    }
    if (last) errors[count - coalesced - 1] = at - last;
    return strstr(data, "data: [DONE]") != NULL;
}

static int connect_and_ask(int port, int tokens) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char body[128], request[512];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd >= MAX_FDS || connect(fd, (struct sockaddr *)&address, sizeof address)) {
        perror("connect");
        exit(1);
    }
    int size = snprintf(body, sizeof body, "{\"model\":\"truth\",\"messages\":[],\"stream\":true,\"max_tokens\":%d}", tokens);
    int n = snprintf(request, sizeof request, "POST /v1/chat/completions HTTP/1.1\r\nHost: truth\r\nContent-Length: %d\r\n\r\n%s", size, body);
    if (write(fd, request, (size_t)n) != n) exit(1);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int port = atoi(argv[1]), streams = atoi(argv[2]), tokens = atoi(argv[3]), open_streams = streams;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    errors = malloc((size_t)streams * (size_t)tokens * sizeof *errors);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < streams; i++) {
        int fd = connect_and_ask(port, tokens);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){EPOLLIN, {.fd = fd}});
    }
    int64_t cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (open_streams) {
        struct epoll_event events[1024];
        int n = epoll_wait(epoll_fd, events, 1024, -1);
        for (int i = 0; i < n; i++) {
            static char data[65536];
            ssize_t size = recv(events[i].data.fd, data, sizeof data - 1, MSG_DONTWAIT);
            int64_t at = now_ns(CLOCK_MONOTONIC);
            if (size < 0 && errno == EAGAIN) continue;
            data[size > 0 ? size : 0] = 0;
            if (size <= 0 || take(data, at)) {
                close(events[i].data.fd);
                open_streams--;
            }
        }
    }
    cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
    size_t n = count - coalesced;
    qsort(errors, n, sizeof *errors, ascending);
    if (!n) return 1;
    printf("{\"tokens\":%zu,\"coalesced\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"cpu_us_per_token\":%.2f}\n", count,
           coalesced, errors[n / 2] / 1e3, errors[n - 1 - n / 100] / 1e3, errors[n - 1] / 1e3, cpu_ns / 1e3 / (double)count);
    return 0;
}

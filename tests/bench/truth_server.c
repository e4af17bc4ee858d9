/* A server that knows the truth: paces thousands of chat streams and writes its own send time into every chunk.
 *
 *     truth_server [port=0] [tokens=250] [ttft_ms=50] [gap_ms=20]     prints "listening PORT"; ends when stdin closes
 *
 * HTTP/1.1, OpenAI's chat shape: POST /v1/chat/completions (always streamed; max_tokens of the body wins over `tokens`),
 * GET /v1/models, GET /health, GET /stats (what was sent since the last /stats, and the server's own error, as JSON).
 *
 * One thread, one epoll, one timerfd, one heap of deadlines. Token i of a stream is due at request + ttft + i * gap,
 * whatever happened before. A chunk's text is CLOCK_MONOTONIC in nanoseconds, 19 digits and a blank, read right before
 * the write that sends it; being late shows in `late`, never in that time. `write` is how long the write took: the truth
 * is known to within it. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES 65536 /* a chat request of the benchmarks has a few hundred */
#define MAX_FDS 65536
#define ID "\"id\":\"truth\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"truth\""

typedef struct {
    char *request; /* bytes of the request that is arriving, NULL between requests */
    size_t have;
    int tokens, sent, streaming;
    uint32_t generation; /* a descriptor's number comes again: deadlines of the dead must not fire */
} Stream;

typedef struct {
    int64_t at;
    int fd;
    uint32_t generation;
} Deadline;

typedef struct {
    uint32_t *values; /* in tens of nanoseconds: up to 42.9 s */
    size_t count, room;
} Samples;

static Stream streams[MAX_FDS];
static Deadline *heap;
static size_t heap_size, heap_room;
static int epoll_fd, default_tokens = 250;
static int64_t ttft_ns = 50000000, gap_ns = 20000000;
static Samples late, writes;
static uint64_t streams_begun, streams_done, tokens_sent;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void keep(Samples *samples, int64_t ns) {
    int64_t value = ns / 10;
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 1 << 20;
        samples->values = realloc(samples->values, samples->room * sizeof(uint32_t));
        if (!samples->values) exit(1);
    }
    samples->values[samples->count++] = value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int print_spread(char *out, size_t room, const char *name, Samples *s) {
    size_t n = s->count;
    qsort(s->values, n, sizeof(uint32_t), ascending);
    double p50 = n ? s->values[n / 2] / 1e2 : 0, p99 = n ? s->values[n - 1 - n / 100] / 1e2 : 0;
    double max = n ? s->values[n - 1] / 1e2 : 0;
    s->count = 0;
    return snprintf(out, room, "\"%s_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, p50, p99, max);
}

static void push(Deadline entry) {
    if (heap_size == heap_room) {
        heap_room = heap_room ? heap_room * 2 : 4096;
        heap = realloc(heap, heap_room * sizeof(Deadline));
        if (!heap) exit(1);
    }
    size_t i = heap_size++;
    for (; i && heap[(i - 1) / 2].at > entry.at; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = entry;
}

static Deadline pop(void) {
    Deadline first = heap[0], last = heap[--heap_size];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap_size) break;
        if (child + 1 < heap_size && heap[child + 1].at < heap[child].at) child++;
        if (heap[child].at >= last.at) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

static void drop(int fd) {
    Stream *s = &streams[fd];
    free(s->request);
    *s = (Stream){.generation = s->generation + 1};
    close(fd);
}

/* Write all of it; a client that does not read for a second is dropped. */
static int write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {fd, POLLOUT, 0};
            if (poll(&p, 1, 1000) != 1) return -1;
            continue;
        }
        if (n < 0) return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static size_t chunk(char *out, size_t room, const char *events) {
    return (size_t)snprintf(out, room, "%zx\r\n%s\r\n", strlen(events), events);
}

static int send_token(int fd, Stream *s, int64_t due) {
    char event[512], out[640];
    const char *role = s->sent ? "" : "\"role\":\"assistant\",";
    snprintf(event, sizeof event,
             "data: {" ID ",\"choices\":[{\"index\":0,\"delta\":{%s\"content\":\"%19d \"},\"finish_reason\":null}]}\n\n", role, 0);
    size_t size = chunk(out, sizeof out, event);
    char *place = strstr(out, "\"content\":\"") + strlen("\"content\":\"");
    int64_t t = now_ns(), digits = t;
    for (int i = 18; i >= 0; i--, digits /= 10) place[i] = (char)('0' + digits % 10);
    int failed = write_all(fd, out, size);
    keep(&writes, now_ns() - t);
    keep(&late, t - due);
    s->sent++;
    tokens_sent++;
    return failed;
}

static int send_end(int fd, Stream *s) {
    char events[1024], out[1200];
    snprintf(events, sizeof events,
             "data: {" ID ",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
             "data: {" ID ",\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":%d,\"total_tokens\":%d}}\n\n"
             "data: [DONE]\n\n", s->tokens, s->tokens + 8);
    size_t size = chunk(out, sizeof out, events);
    memcpy(out + size, "0\r\n\r\n", 5);
    s->streaming = 0;
    streams_done++;
    return write_all(fd, out, size + 5);
}

static void fire(Deadline d) {
    Stream *s = &streams[d.fd];
    if (s->generation != d.generation || !s->streaming) return;
    if (s->sent == s->tokens) {
        if (send_end(d.fd, s)) drop(d.fd);
        return;
    }
    if (send_token(d.fd, s, d.at)) drop(d.fd);
    else push((Deadline){d.at + gap_ns, d.fd, d.generation});
}

static int respond(int fd, const char *status, const char *body) {
    char out[2048];
    int n = snprintf(out, sizeof out, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                     strlen(body), body);
    return write_all(fd, out, (size_t)n);
}

static int number_after(const char *body, const char *name) {
    const char *found = strstr(body, name);
    return found ? atoi(found + strlen(name) + strspn(found + strlen(name), " :")) : 0;
}

static int answer(int fd, Stream *s, const char *body) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    if (!strncmp(s->request, "GET /v1/models", 14))
        return respond(fd, "200 OK", "{\"object\":\"list\",\"data\":[{\"id\":\"truth\",\"object\":\"model\",\"created\":0,"
                                     "\"owned_by\":\"racelog\"}]}");
    if (!strncmp(s->request, "GET /stats", 10)) {
        char out[1024];
        int n = snprintf(out, sizeof out, "{\"begun\":%lu,\"done\":%lu,\"tokens\":%lu,", streams_begun, streams_done, tokens_sent);
        n += print_spread(out + n, sizeof out - (size_t)n, "late", &late);
        out[n++] = ',';
        n += print_spread(out + n, sizeof out - (size_t)n, "write", &writes);
        snprintf(out + n, sizeof out - (size_t)n, "}");
        streams_begun = streams_done = tokens_sent = 0;
        return respond(fd, "200 OK", out);
    }
    if (!strncmp(s->request, "GET /health", 11)) return respond(fd, "200 OK", "{}");
    if (strncmp(s->request, "POST /v1/chat/completions", 25)) return respond(fd, "404 Not Found", "{\"error\":\"not here\"}");
    int asked = number_after(body, "\"max_tokens\"");
    if (!asked) asked = number_after(body, "\"max_completion_tokens\"");
    s->tokens = asked > 0 ? asked : default_tokens;
    s->sent = 0;
    s->streaming = 1;
    streams_begun++;
    push((Deadline){now_ns() + ttft_ns, fd, s->generation});
    return write_all(fd, head, sizeof head - 1);
}

/* Gather a request; return nonzero when the connection is over. One request at a time: clients do not pipeline. */
static int receive(int fd, Stream *s) {
    if (!s->request && !(s->request = malloc(REQUEST_BYTES))) return 1;
    ssize_t n = read(fd, s->request + s->have, REQUEST_BYTES - 1 - s->have);
    if (n <= 0) return !(n < 0 && errno == EAGAIN);
    s->have += (size_t)n;
    s->request[s->have] = 0;
    char *end = strstr(s->request, "\r\n\r\n");
    if (!end) return s->have >= REQUEST_BYTES - 1;
    char *length = strcasestr(s->request, "\r\ncontent-length:");
    size_t body = length && length < end ? (size_t)atoi(length + 17) : 0;
    if ((size_t)(end + 4 - s->request) + body > REQUEST_BYTES - 1) return 1;
    if (s->have < (size_t)(end + 4 - s->request) + body) return 0;
    int failed = answer(fd, s, end + 4);
    free(s->request);
    s->request = NULL;
    s->have = 0;
    return failed;
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){EPOLLIN, {.fd = fd}});
    }
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 65535) || getsockname(fd, (struct sockaddr *)&address, &size)) {
        perror("truth_server");
        exit(1);
    }
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void arm(int timer) {
    int64_t at = heap_size ? heap[0].at : 0; /* all zero disarms it */
    struct itimerspec spec = {{0, 0}, {at / 1000000000, at % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

int main(int argc, char **argv) {
    struct rlimit files = {MAX_FDS, MAX_FDS};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (argc > 2) default_tokens = atoi(argv[2]);
    if (argc > 3) ttft_ns = (int64_t)(atof(argv[3]) * 1e6);
    if (argc > 4) gap_ns = (int64_t)(atof(argv[4]) * 1e6);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int watched[] = {listener, timer, 0};
    for (int i = 0; i < 3; i++) epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watched[i], &(struct epoll_event){EPOLLIN, {.fd = watched[i]}});
    for (;;) {
        struct epoll_event events[512];
        arm(timer);
        int n = epoll_wait(epoll_fd, events, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            char byte[64];
            if (fd == 0 && read(0, byte, sizeof byte) <= 0) return 0;
            if (fd == listener) accept_all(listener);
            else if (fd == timer) (void)!read(timer, byte, 8);
            else if (fd > 0 && receive(fd, &streams[fd])) drop(fd);
        }
        /* A batch of tokens at most, so that requests are heard in between. */
        for (int i = 0; i < 256 && heap_size && heap[0].at <= now_ns(); i++) fire(pop());
    }
}

// The physical limit: a server that does nothing but send().
//
//   baseline TICKS_PER_SECOND REPLY_BYTES [FRAMES]
//
// On every tick each client gets the same prebuilt text frame of 200 bytes, or FRAMES of them end to end, with one
// send() each: what the kernel costs, and no more. A client's message is answered at once by a prebuilt frame of REPLY_BYTES that looks like a
// snapshot. It listens on 127.0.0.1 at a free port, which it prints on standard error. It is no WebSocket server:
// every upgrade gets the answer to the sample key of RFC 6455 §1.3, and control frames are passed over.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { maximum_descriptors = 1 << 16, tick_bytes = 200 };

static const char upgrade[] =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct client {
  int is_open;     // the upgrade is answered
  int place;       // in `clients`, once it is
  size_t held;     // bytes of a request or frame that is not whole yet
  uint8_t bytes[1 << 15];
};

struct frame {
  uint8_t *bytes;
  size_t count;
};

static struct client *table[maximum_descriptors];  // by descriptor
static int clients[maximum_descriptors];           // those that are upgraded, without gaps
static int client_count;
static struct frame tick_frame, reply_frame;

_Noreturn static void fail(const char *what) {
  perror(what);
  exit(1);
}

/// A whole text frame: `start`, filled up to `count` bytes with spaces.
static struct frame text_frame(const char *start, size_t count) {
  if (count < strlen(start) + 1) count = strlen(start) + 1;
  if (count > 65535) count = 65535;
  size_t head = count < 126 ? 2 : 4;
  struct frame frame = {malloc(head + count), head + count};
  if (!frame.bytes) fail("malloc");
  frame.bytes[0] = 0x81;
  frame.bytes[1] = head == 2 ? (uint8_t)count : 126;
  if (head == 4) {
    frame.bytes[2] = (uint8_t)(count >> 8);
    frame.bytes[3] = (uint8_t)count;
  }
  memset(frame.bytes + head, ' ', count);
  memcpy(frame.bytes + head, start, strlen(start));
  frame.bytes[head + count - 1] = '}';
  return frame;
}

static void drop(int descriptor) {
  struct client *client = table[descriptor];
  if (client->is_open) {
    int last = clients[--client_count];
    clients[client->place] = last;
    table[last]->place = client->place;
  }
  free(client);
  table[descriptor] = NULL;
  close(descriptor);
}

/// Whether all went out. A client that lags is not waited for: the limit is about those that don't.
static int send_whole(int descriptor, const void *bytes, size_t count) {
  return send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)count;
}

static void tick(void) {
  for (int i = client_count - 1; i >= 0; i--)
    if (!send_whole(clients[i], tick_frame.bytes, tick_frame.count)) drop(clients[i]);
}

/// The length of the frame at the start of `bytes`, 0 while its head is not there, -1 if it is too long.
static int frame_length(const uint8_t *bytes, size_t count) {
  if (count < 2) return 0;
  int head = 2 + (bytes[1] & 0x80 ? 4 : 0), length = bytes[1] & 0x7f;
  if (length == 127) return -1;
  if (length == 126) {
    if (count < 4) return 0;
    length = bytes[2] << 8 | bytes[3];
    head += 2;
  }
  return head + length;
}

/// Answers what is whole and keeps the rest. Returns 0 if the client must go.
static int answer(int descriptor, struct client *client) {
  size_t used = 0;
  if (!client->is_open) {
    uint8_t *end = memmem(client->bytes, client->held, "\r\n\r\n", 4);
    if (!end) return client->held < sizeof client->bytes;
    if (!send_whole(descriptor, upgrade, sizeof upgrade - 1)) return 0;
    used = (size_t)(end + 4 - client->bytes);
    client->is_open = 1;
    client->place = client_count;
    clients[client_count++] = descriptor;
  }
  for (;;) {
    int length = frame_length(client->bytes + used, client->held - used);
    if (length < 0 || length > (int)sizeof client->bytes) return 0;
    if (length == 0 || client->held - used < (size_t)length) break;
    int is_data = (client->bytes[used] & 0x0f) < 8;
    if (is_data && !send_whole(descriptor, reply_frame.bytes, reply_frame.count)) return 0;
    used += (size_t)length;
  }
  client->held -= used;
  memmove(client->bytes, client->bytes + used, client->held);
  return 1;
}

static void receive(int descriptor) {
  struct client *client = table[descriptor];
  if (!client) return;
  ssize_t count = recv(descriptor, client->bytes + client->held, sizeof client->bytes - client->held, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return drop(descriptor);
  client->held += (size_t)count;
  if (!answer(descriptor, client)) drop(descriptor);
}

static void watch(int queue, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static void accept_all(int queue, int listener) {
  for (;;) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (descriptor < 0) return;
    if (descriptor >= maximum_descriptors || !(table[descriptor] = calloc(1, sizeof(struct client)))) {
      close(descriptor);
      continue;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(queue, descriptor);
  }
}

/// The frame so many times, end to end.
static struct frame repeated(struct frame frame, size_t times) {
  struct frame all = {malloc(frame.count * times), frame.count * times};
  if (!all.bytes) fail("malloc");
  for (size_t i = 0; i < times; i++) memcpy(all.bytes + i * frame.count, frame.bytes, frame.count);
  return all;
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0) fail("bind");
  if (listen(listener, 4096) < 0) fail("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) fail("getsockname");
  fprintf(stderr, "baseline: listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  return listener;
}

static int timer_of(double per_second) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer < 0) fail("timerfd_create");
  if (per_second <= 0) return timer;  // never set, it never fires
  long long pause = (long long)(1e9 / per_second);
  struct timespec step = {pause / 1000000000, pause % 1000000000};
  struct itimerspec times = {step, step};
  if (timerfd_settime(timer, 0, &times, NULL) < 0) fail("timerfd_settime");
  return timer;
}

int main(int count, char **arguments) {
  if (count != 3 && count != 4) {
    fprintf(stderr, "usage: baseline TICKS_PER_SECOND REPLY_BYTES [FRAMES]\n");
    return 2;
  }
  int frames = count == 4 ? atoi(arguments[3]) : 1;
  tick_frame = repeated(text_frame("{\"type\":\"price\",\"rev\":1", tick_bytes), frames < 1 ? 1 : (size_t)frames);
  reply_frame = text_frame("{\"type\":\"snapshot\"", (size_t)atoi(arguments[2]));
  int queue = epoll_create1(EPOLL_CLOEXEC), listener = listen_on_loopback();
  int timer = timer_of(atof(arguments[1]));
  if (queue < 0) fail("epoll_create1");
  watch(queue, listener);
  watch(queue, timer);
  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(queue, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int descriptor = events[i].data.fd;
      uint64_t late;
      if (descriptor == listener) accept_all(queue, listener);
      else if (descriptor != timer) receive(descriptor);
      else if (read(timer, &late, sizeof late) == sizeof late) tick();
    }
  }
}

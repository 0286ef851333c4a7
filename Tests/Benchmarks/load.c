// A WebSocket client that loads a server on this machine and looks at what that costs the server.
//
//   load fanout --port P --pid PID --path /ws --text SUBSCRIBE --connections N --seconds T
//   load idle   --port P --pid PID --path /ws --text SUBSCRIBE --connections N
//   load trips  --port P --path /ws --text SUBSCRIBE --undo UNSUBSCRIBE --count N
//   load echo   --port P --pid PID --path / --text MESSAGE --connections N --seconds T
//   load handshakes --port P --pid PID --path / --text - --connections N --seconds T
//   load start  COMMAND...
//
// fanout opens connections, sends a subscribe message on each, and once every one has its snapshot counts data
// frames. The figure is the server's CPU time for each of them: throughput and latency say more about the machine.
// idle opens a hundred connections (they pay for what is made once) and then the rest: the figure is how much
// resident memory each of the rest adds.
// trips measures from a subscribe message to the last byte of its snapshot, one after the other on one connection;
// `{n}` in the texts is the number of the wallet, 40 hexadecimal digits. Between them the wallet is left again and a
// moment passes, so that nothing of one is in the time of the next.
// echo keeps one message under way on each connection: the figure is the server's CPU time for each that came back.
// The message begins as a snapshot does, so that the first one back counts as that.
// handshakes keeps N connections in the making, and drops each as soon as it is upgraded.
// start runs a server until it says "listening on", and ends it.
//
// With --tls 1 the server speaks TLS; whose certificate it shows does not matter here.
//
// With --compressed 1 the client offers permessage-deflate (RFC 7692) without context takeover.
//
// One thread, one epoll. Each run prints one JSON object, and ends after a minute at the latest. The upgrade uses
// the sample key of RFC 6455 §1.3, and all masks are zero: nothing here is secret, and the server's work is the same.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { handshakes_at_once = 128, first_connections = 100, time_limit = 60, head_bytes = 1024, control_bytes = 125,
       text_limit = 1 << 15 };
enum state { closed, connecting, securing, upgrading, open_ };

struct connection {
  int descriptor;
  SSL *session;           // NULL: plain text
  enum state state;
  int has_snapshot;
  size_t held;            // bytes of `bytes`: of the answer's head, then of the payload's start
  size_t frame_head;      // bytes of `head`
  uint64_t left, length;  // of the payload
  uint8_t head[10];
  uint8_t bytes[head_bytes];
};

static struct {
  int port, pid, connections, count, tls, compressed;
  double seconds;
  const char *path, *text, *undo;
} options = {.connections = 1000, .count = 1000, .seconds = 3, .path = "/ws"};

static struct connection *connections;
static SSL_CTX *context;
static int queue, under_way, with_snapshot;
static enum { resting, echoing, shaking_hands } activity;
static uint64_t handshakes_done;
static uint64_t data_frames, compressed_frames, snapshots, snapshot_bytes, wallet = 1;

_Noreturn static void fail(const char *what) {
  fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// MARK: What the server costs

/// Nanoseconds of CPU all threads of the process have had; in steps of a clock tick where the kernel keeps no
/// scheduler statistics.
static double cpu_time(int pid) {
  char path[64], name[384];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *threads = opendir(path);
  if (!threads) fail("the server is gone");
  double sum = 0;
  for (struct dirent *entry; (entry = readdir(threads));) {
    if (entry->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/%s/schedstat", path, entry->d_name);
    FILE *file = fopen(name, "r");
    unsigned long long running = 0;
    if (file && fscanf(file, "%llu", &running) == 1) sum += (double)running;
    if (file) fclose(file);
  }
  closedir(threads);
  if (sum > 0) return sum;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  char line[1024] = "";
  if (!file || !fgets(line, sizeof line, file)) fail(path);
  fclose(file);
  unsigned long user = 0, system = 0;
  char *rest = strrchr(line, ')');  // the name may hold anything
  if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    fail("the process's times are not as expected");
  return (double)(user + system) * 1e9 / (double)sysconf(_SC_CLK_TCK);
}

/// Bytes of resident memory.
static double resident(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  unsigned long pages = 0;
  if (!file || fscanf(file, "%*u %lu", &pages) != 1) fail("the server is gone");
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

// MARK: Sending

static void send_whole(struct connection *connection, const void *bytes, size_t count) {
  if (connection->session) {
    if (SSL_write(connection->session, bytes, (int)count) != (int)count) fail("SSL_write");
  } else if (send(connection->descriptor, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) fail("send");
}

static void send_frame(struct connection *connection, int opcode, const void *payload, size_t count) {
  static uint8_t frame[8 + text_limit];
  size_t head = 2;
  if (count > text_limit) fail("the message is too long");
  frame[0] = (uint8_t)(0x80 | opcode);
  if (count < 126) {
    frame[1] = (uint8_t)(0x80 | count);
  } else {
    frame[1] = 0x80 | 126;
    frame[2] = (uint8_t)(count >> 8);
    frame[3] = (uint8_t)count;
    head = 4;
  }
  memcpy(frame + head + 4, payload, count);  // after a mask of zeros
  send_whole(connection, frame, head + 4 + count);
}

/// The template, with the wallet's number where it asks for one.
static void send_text(struct connection *connection, const char *template) {
  static char text[text_limit];
  const char *mark = strstr(template, "{n}");
  int count = mark ? snprintf(text, sizeof text, "%.*s%040llx%s", (int)(mark - template), template,
                              (unsigned long long)wallet, mark + 3)
                   : snprintf(text, sizeof text, "%s", template);
  if (count < 0 || count >= (int)sizeof text) fail("the message is too long");
  send_frame(connection, 1, text, (size_t)count);
}

static void request_upgrade(struct connection *connection) {
  char text[1024];
  int count = snprintf(
    text, sizeof text,
    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
    options.path, options.port,
    options.compressed ? "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n" : "");
  if (count >= (int)sizeof text) fail("the path is too long");
  connection->state = upgrading;
  send_whole(connection, text, (size_t)count);
}

static void secure(struct connection *connection) {
  int result = SSL_connect(connection->session);
  if (result == 1) return request_upgrade(connection);
  if (SSL_get_error(connection->session, result) != SSL_ERROR_WANT_READ) fail("SSL_connect");
}

static void connected(struct connection *connection) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
  if ((errno = error)) fail("connect");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(queue, EPOLL_CTL_MOD, connection->descriptor, &event) < 0) fail("epoll_ctl");
  if (!options.tls) return request_upgrade(connection);
  connection->session = SSL_new(context);
  if (!connection->session || !SSL_set_fd(connection->session, connection->descriptor)) fail("SSL_new");
  connection->state = securing;
  secure(connection);
}

// MARK: Receiving

static int starts_with(const struct connection *connection, const char *text) {
  return connection->held >= strlen(text) && memcmp(connection->bytes, text, strlen(text)) == 0;
}

/// Puts the start of a compressed message in the place of the start of its payload.
static void inflate_start(struct connection *connection) {
  uint8_t plain[control_bytes];
  z_stream stream = {.next_in = connection->bytes, .avail_in = (uInt)connection->held,
                     .next_out = plain, .avail_out = sizeof plain};
  if (inflateInit2(&stream, -15) != Z_OK) fail("inflateInit2");
  int result = inflate(&stream, Z_SYNC_FLUSH);
  inflateEnd(&stream);
  if (result != Z_OK && result != Z_BUF_ERROR) fail("inflate");
  connection->held = sizeof plain - stream.avail_out;
  memcpy(connection->bytes, plain, connection->held);
}

static void take_frame(struct connection *connection) {
  switch (connection->head[0] & 0x0f) {
    case 8: fail("the server closed a connection");
    case 9: return send_frame(connection, 10, connection->bytes, connection->held);
    case 10: return;
  }
  data_frames++;
  if (activity == echoing) return send_text(connection, options.text);
  if (connection->head[0] & 0x40) {
    compressed_frames++;
    // What the client does with the others is no matter of the server's.
    if (!connection->has_snapshot) inflate_start(connection);
  }
  if (starts_with(connection, "{\"type\":\"error\"")) {
    fprintf(stderr, "load: %.*s\n", (int)connection->held, connection->bytes);
    errno = 0;
    fail("the server refused a message");
  }
  if (!starts_with(connection, "{\"type\":\"snapshot\"")) return;
  snapshots++;
  snapshot_bytes = connection->length;
  if (connection->has_snapshot) return;
  connection->has_snapshot = 1;
  with_snapshot++;
  under_way--;
}

/// Takes what belongs to the upgrade's answer; returns how much that was.
static size_t take_answer(struct connection *connection, const uint8_t *bytes, size_t count) {
  size_t used = 0;
  while (used < count && connection->held < head_bytes) {
    connection->bytes[connection->held++] = bytes[used++];
    if (connection->held < 4 || memcmp(connection->bytes + connection->held - 4, "\r\n\r\n", 4) != 0) continue;
    if (!starts_with(connection, "HTTP/1.1 101 ")
        || !memmem(connection->bytes, connection->held, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28))
      break;
    connection->held = 0;
    if (activity == shaking_hands) {
      connection->state = closed;
      handshakes_done++;
      return count;
    }
    connection->state = open_;
    send_text(connection, options.text);
    return used;
  }
  if (used < count || connection->held == head_bytes) {
    fprintf(stderr, "%.*s\n", (int)connection->held, connection->bytes);
    errno = 0;
    fail("the server did not upgrade");
  }
  return used;
}

/// Takes one byte of a frame's head; returns whether the head is whole.
static int take_head(struct connection *connection, uint8_t byte) {
  uint8_t *head = connection->head;
  head[connection->frame_head++] = byte;
  if (connection->frame_head < 2) return 0;
  if (head[1] & 0x80) fail("the server masked a frame");
  size_t extra = head[1] == 126 ? 2 : head[1] == 127 ? 8 : 0;
  if (connection->frame_head < 2 + extra) return 0;
  uint64_t length = extra ? 0 : head[1];
  for (size_t i = 0; i < extra; i++) length = length << 8 | head[2 + i];
  connection->left = connection->length = length;
  connection->held = 0;
  return 1;
}

static void take(struct connection *connection, const uint8_t *bytes, size_t count) {
  size_t used = connection->state == upgrading ? take_answer(connection, bytes, count) : 0;
  while (used < count) {
    if (connection->left == 0) {
      if (!take_head(connection, bytes[used++])) continue;
    } else {
      size_t part = count - used < connection->left ? count - used : (size_t)connection->left;
      size_t room = control_bytes - connection->held, kept = part < room ? part : room;
      memcpy(connection->bytes + connection->held, bytes + used, kept);
      connection->held += kept;
      connection->left -= part;
      used += part;
    }
    if (connection->left == 0) {
      connection->frame_head = 0;
      take_frame(connection);
    }
  }
}

static void receive(struct connection *connection) {
  static uint8_t bytes[1 << 16];
  if (connection->session) {
    int taken;
    while ((taken = SSL_read(connection->session, bytes, sizeof bytes)) > 0) take(connection, bytes, (size_t)taken);
    if (SSL_get_error(connection->session, taken) != SSL_ERROR_WANT_READ) fail("a connection ended");
    return;
  }
  ssize_t count = recv(connection->descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) fail("a connection ended");
  take(connection, bytes, (size_t)count);
}

static void begin(struct connection *connection);

/// Resets it, so that no port is kept waiting, and opens another in its place.
static void replace(struct connection *connection) {
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(connection->descriptor);
  memset(connection, 0, sizeof *connection);
  begin(connection);
}

static void turn(int milliseconds) {
  struct epoll_event events[512];
  int ready = epoll_wait(queue, events, 512, milliseconds);
  for (int i = 0; i < ready; i++) {
    struct connection *connection = events[i].data.ptr;
    if (connection->state == connecting) connected(connection);
    else if (connection->state == securing) secure(connection);
    else receive(connection);
    if (connection->state == closed) replace(connection);
  }
}

static void turn_for(double seconds) {
  double end = now() + seconds;
  for (double left; (left = end - now()) > 0;) turn((int)(left * 1000) + 1);
}

// MARK: Connecting

static void begin(struct connection *connection) {
  struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  if (descriptor < 0) fail("socket");
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
  connection->descriptor = descriptor;
  connection->state = connecting;
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
  under_way++;
}

/// Opens connections until there are `count`, each with its snapshot.
static void open_connections(int count) {
  static int begun;
  while (with_snapshot < count) {
    while (begun < count && under_way < handshakes_at_once) begin(&connections[begun++]);
    turn(100);
  }
}

// MARK: The runs

/// The server's CPU time for the measured seconds, in nanoseconds; `counter` counts what came in them.
static double measure(uint64_t *counter, const char *nothing) {
  double cpu = cpu_time(options.pid);
  *counter = 0;
  turn_for(options.seconds);
  cpu = cpu_time(options.pid) - cpu;
  errno = 0;
  if (*counter == 0) fail(nothing);
  return cpu;
}

static void fanout(void) {
  open_connections(options.connections);
  turn_for(0.5);
  double start = now();
  compressed_frames = 0;
  double cpu = measure(&data_frames, "no frame came");
  double seconds = now() - start;
  if (options.compressed && compressed_frames < data_frames) fail("not every frame was compressed");
  printf("{\"connections\":%d,\"frames\":%llu,\"frames_per_second\":%.0f,\"cpu_us_per_frame\":%.4f}\n",
         options.connections, (unsigned long long)data_frames, (double)data_frames / seconds,
         cpu / 1000 / (double)data_frames);
}

static void echo(void) {
  open_connections(options.connections);
  turn_for(0.3);
  activity = echoing;
  for (int i = 0; i < options.connections; i++) send_text(&connections[i], options.text);
  turn_for(0.3);
  double cpu = measure(&data_frames, "no message came back");
  printf("{\"connections\":%d,\"messages\":%llu,\"cpu_us_per_message\":%.4f}\n", options.connections,
         (unsigned long long)data_frames, cpu / 1000 / (double)data_frames);
}

static void handshakes(void) {
  activity = shaking_hands;
  for (int i = 0; i < options.connections; i++) begin(&connections[i]);
  turn_for(0.3);
  double cpu = measure(&handshakes_done, "no connection was upgraded");
  printf("{\"handshakes\":%llu,\"cpu_us_per_handshake\":%.3f}\n", (unsigned long long)handshakes_done,
         cpu / 1000 / (double)handshakes_done);
}

static void idle(void) {
  errno = 0;
  if (options.connections <= first_connections) fail("idle needs more connections");
  open_connections(first_connections);
  turn_for(0.5);
  double before = resident(options.pid);
  open_connections(options.connections);
  turn_for(2);
  double after = resident(options.pid);
  printf("{\"connections\":%d,\"rss_before\":%.0f,\"rss_after\":%.0f,\"bytes_per_connection\":%.0f}\n",
         options.connections, before, after, (after - before) / (options.connections - first_connections));
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

/// Leaves the wallet, and waits for an answer and what else is on its way.
static void leave(struct connection *connection) {
  uint64_t last = data_frames;
  send_text(connection, options.undo);
  while (data_frames == last) turn(1000);
  turn_for(0.001);
}

static void trips(void) {
  enum { first = 100 };  // not counted
  double *times = calloc((size_t)options.count, sizeof *times);
  if (!times || options.count < 1 || !options.undo) fail("trips needs --undo, and --count above 0");
  open_connections(1);
  turn_for(0.3);
  for (int i = -first; i < options.count; i++) {
    leave(&connections[0]);
    wallet++;
    uint64_t last = snapshots;
    double start = now();
    send_text(&connections[0], options.text);
    while (snapshots == last) turn(1000);
    if (i >= 0) times[i] = (now() - start) * 1000;
  }
  qsort(times, (size_t)options.count, sizeof *times, ascending);
  printf("{\"trips\":%d,\"median_ms\":%.4f,\"p99_ms\":%.4f,\"snapshot_bytes\":%llu}\n", options.count,
         times[options.count / 2], times[options.count * 99 / 100], (unsigned long long)snapshot_bytes);
}

static void wait_for_end(int pid) {
  kill(pid, SIGTERM);
  for (int i = 0; i < 800; i++) {
    if (waitpid(pid, NULL, WNOHANG) == pid) return;
    usleep(10000);
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  errno = 0;
  fail("the server did not stop");
}

static void start(char **command) {
  int ends[2];
  char text[65536];
  size_t held = 0;
  if (pipe(ends) < 0) fail("pipe");
  double begin = now();
  int pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execvp(command[0], command);
    _exit(127);
  }
  close(ends[1]);
  while (!memmem(text, held, "listening on", 12)) {
    ssize_t count = read(ends[0], text + held, sizeof text - held);
    if (count <= 0) {
      fprintf(stderr, "%.*s\n", (int)held, text);
      fail("the server did not start");
    }
    held += (size_t)count;
  }
  double seconds = now() - begin;
  // What a start leaves behind is given back by then; what is said until then fits a pipe.
  usleep(300000);
  double memory = resident(pid);
  wait_for_end(pid);
  printf("{\"start_ms\":%.1f,\"rss\":%.0f}\n", seconds * 1000, memory);
}

static void read_options(char **argument) {
  for (; argument[0] && argument[1]; argument += 2) {
    const char *name = argument[0], *value = argument[1];
    if (!strcmp(name, "--port")) options.port = atoi(value);
    else if (!strcmp(name, "--pid")) options.pid = atoi(value);
    else if (!strcmp(name, "--connections")) options.connections = atoi(value);
    else if (!strcmp(name, "--count")) options.count = atoi(value);
    else if (!strcmp(name, "--seconds")) options.seconds = atof(value);
    else if (!strcmp(name, "--tls")) options.tls = atoi(value);
    else if (!strcmp(name, "--compressed")) options.compressed = atoi(value);
    else if (!strcmp(name, "--path")) options.path = value;
    else if (!strcmp(name, "--text")) options.text = value;
    else if (!strcmp(name, "--undo")) options.undo = value;
    else fail("an option is unknown");
  }
  if (argument[0] || !options.port || !options.text) fail("an option is missing");
}

int main(int count, char **arguments) {
  errno = 0;
  if (count < 3) fail("usage: load fanout|idle|trips|echo|handshakes OPTIONS, or load start COMMAND");
  alarm(time_limit);
  if (!strcmp(arguments[1], "start")) {
    start(arguments + 2);
    return 0;
  }
  read_options(arguments + 2);
  if (options.tls && !(context = SSL_CTX_new(TLS_client_method()))) fail("SSL_CTX_new");
  queue = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)options.connections, sizeof *connections);
  if (queue < 0 || !connections) fail("epoll_create1");
  if (!strcmp(arguments[1], "fanout")) fanout();
  else if (!strcmp(arguments[1], "idle")) idle();
  else if (!strcmp(arguments[1], "trips")) trips();
  else if (!strcmp(arguments[1], "echo")) echo();
  else if (!strcmp(arguments[1], "handshakes")) handshakes();
  else fail("fanout, idle, trips, echo, handshakes or start?");
  return 0;
}

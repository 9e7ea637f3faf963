/*
 * The least a copy can do at all: one connection to each side, FETCH answers handed to MULTIAPPEND while they come in, one
 * thread, one buffer. The same conversation as floor.ts.
 *
 *     floor HOST PORT USER PASSWORD  HOST PORT USER PASSWORD  UNANSWERED
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { batch_messages = 100, batch_bytes = 4 << 20, in_bytes = 256 << 10, out_bytes = 1 << 20, max_folders = 1000 };

struct wire {
  int fd;
  char *out;
  size_t out_from, out_to;
  char line[16384];
  size_t line_length;
  size_t literal;
  int sent;
};

static struct wire source, target;
static char *folders[max_folders];
static int folder_count, current, messages, unanswered, limit;
static size_t bytes;
static char in[in_bytes];

static void fail(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void flush_out(struct wire *wire) {
  while (wire->out_from < wire->out_to) {
    ssize_t count = send(wire->fd, wire->out + wire->out_from, wire->out_to - wire->out_from, MSG_NOSIGNAL);
    if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count == -1) fail("send");
    wire->out_from += count;
  }
  wire->out_from = wire->out_to = 0;
}

/* One read fits behind what makes the reader stop, so the buffer never overflows. */
static void put(struct wire *wire, const char *data, size_t count) {
  if (wire->out_to + count > out_bytes + 2 * in_bytes) {
    memmove(wire->out, wire->out + wire->out_from, wire->out_to - wire->out_from);
    wire->out_to -= wire->out_from;
    wire->out_from = 0;
    if (wire->out_to + count > out_bytes + 2 * in_bytes) fail("buffer too small");
  }
  memcpy(wire->out + wire->out_to, data, count);
  wire->out_to += count;
}

static void put_text(struct wire *wire, const char *format, ...) {
  char text[16384];
  va_list values;
  va_start(values, format);
  int count = vsnprintf(text, sizeof text, format, values);
  va_end(values);
  if (count < 0 || (size_t)count >= sizeof text) fail("text too long");
  put(wire, text, count);
}

static void wait_for(struct wire *wire, short events) {
  struct pollfd one = {wire->fd, events, 0};
  if (poll(&one, 1, -1) == -1) fail("poll");
}

/* Reads what is there and takes it apart; 0 when there was nothing. */
static int read_some(struct wire *wire, void (*on_line)(char *), void (*on_literal)(const char *, size_t)) {
  ssize_t count = recv(wire->fd, in, in_bytes, 0);
  if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
  if (count <= 0) fail("the server hung up");
  for (ssize_t at = 0; at < count;) {
    if (wire->literal > 0) {
      size_t part = (size_t)(count - at) < wire->literal ? (size_t)(count - at) : wire->literal;
      on_literal(in + at, part);
      wire->literal -= part;
      at += part;
      continue;
    }
    char *end = memchr(in + at, '\n', count - at);
    size_t part = end == NULL ? (size_t)(count - at) : (size_t)(end - in) + 1 - at;
    if (wire->line_length + part >= sizeof wire->line) fail("line too long");
    memcpy(wire->line + wire->line_length, in + at, part);
    wire->line_length += part;
    at += part;
    if (end == NULL) break;
    wire->line[wire->line_length] = 0;
    if (wire->line_length > 3 && memcmp(wire->line + wire->line_length - 3, "}\r\n", 3) == 0) {
      wire->literal = strtoul(strrchr(wire->line, '{') + 1, NULL, 10);
    }
    wire->line_length = 0;
    on_line(wire->line);
  }
  return 1;
}

static int answered;

static void until_answer(char *line) {
  if (line[0] == '*') return;
  answered = 1;
  if (strstr(line, " OK ") == NULL) fail(line);
}

static void until_greeting(char *line) { answered = line[0] == '*'; }

static void take_folder(char *line) {
  if (strncmp(line, "* LIST (", 8) != 0) {
    until_answer(line);
    return;
  }
  char *name = strchr(line, ')');
  if (strcasestr(line, "\\Noselect") != NULL || strcasestr(line, "\\NonExistent") != NULL) return;
  /* The separator is quoted; the name stays as it stands, quotes included. */
  name = strchr(strchr(name, '"') + 1, '"') + 2;
  name[strlen(name) - 2] = 0;
  if (folder_count == max_folders) fail("too many folders");
  folders[folder_count++] = strdup(name);
}

static void no_literal(const char *data, size_t count) {
  (void)data;
  (void)count;
  fail("unexpected literal");
}

static void exchange(struct wire *wire, void (*on_line)(char *)) {
  flush_out(wire);
  for (answered = 0; !answered;) {
    wait_for(wire, POLLIN);
    read_some(wire, on_line, no_literal);
  }
}

static void dial(struct wire *wire, char **account) {
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons(atoi(account[1]));
  if (inet_pton(AF_INET, account[0], &address.sin_addr) != 1) fail(account[0]);
  wire->out = malloc(out_bytes + 2 * in_bytes);
  wire->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(wire->fd, (struct sockaddr *)&address, sizeof address) == -1) fail("connect");
  int yes = 1;
  setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  fcntl(wire->fd, F_SETFL, O_NONBLOCK);
}

static void end_batch(void) {
  if (messages > 0) put(&target, "\r\n", 2);
  messages = 0;
  bytes = 0;
}

static void source_line(char *line) {
  if (line[0] == 'f') {
    if (strstr(line, " OK ") == NULL) fail(line);
    end_batch();
    current++;
    return;
  }
  char *flags = strstr(line, " FLAGS (");
  char *date = strstr(line, " INTERNALDATE ");
  char *body = strstr(line, " BODY[] {");
  if (flags == NULL || date == NULL || body == NULL) return;
  size_t size = strtoul(body + 9, NULL, 10);
  if (messages == batch_messages || bytes + size > batch_bytes) end_batch();
  if (messages == 0) {
    put_text(&target, "p%d APPEND %s", ++target.sent, folders[current]);
    unanswered++;
  }
  messages++;
  bytes += size;
  flags += 7;
  flags[strchr(flags, ')') - flags] = 0;
  char *recent = strstr(flags, "\\Recent");
  if (recent != NULL) memmove(recent, recent + 7 + (recent[7] == ' '), strlen(recent + 7 + (recent[7] == ' ')) + 1);
  size_t length = strlen(flags);
  if (flags[length - 1] == ' ') flags[length - 1] = 0;
  put_text(&target, " %s) %.*s {%zu+}\r\n", flags, (int)(body - date - 14), date + 14, size);
}

static void source_literal(const char *data, size_t count) { put(&target, data, count); }

static void target_line(char *line) {
  /* A folder that is there already is as good as one made. */
  if (line[0] != 'p') return;
  if (strstr(line, " OK ") == NULL) fail(line);
  unanswered--;
}

static void forward(void) {
  while (current < folder_count || unanswered > 0 || target.out_from < target.out_to) {
    int stopped = unanswered >= limit || target.out_to - target.out_from >= out_bytes;
    struct pollfd both[2] = {
        {source.fd, current < folder_count && !stopped ? POLLIN : 0, 0},
        {target.fd, POLLIN | (target.out_from < target.out_to ? POLLOUT : 0), 0},
    };
    if (poll(both, 2, -1) == -1) fail("poll");
    if (both[0].revents != 0) read_some(&source, source_line, source_literal);
    if (both[1].revents & (POLLIN | POLLHUP)) read_some(&target, target_line, no_literal);
    flush_out(&target);
  }
}

int main(int argc, char **argv) {
  if (argc != 10) return 2;
  limit = atoi(argv[9]);
  dial(&source, argv + 1);
  dial(&target, argv + 5);
  struct wire *both[2] = {&source, &target};
  for (int side = 0; side < 2; side++) exchange(both[side], until_greeting);
  for (int side = 0; side < 2; side++) {
    put_text(both[side], "l1 LOGIN \"%s\" \"%s\"\r\n", argv[3 + side * 4], argv[4 + side * 4]);
    flush_out(both[side]);
  }
  for (int side = 0; side < 2; side++) exchange(both[side], until_answer);
  put_text(&source, "l2 LIST \"\" \"*\"\r\n");
  exchange(&source, take_folder);
  for (int folder = 0; folder < folder_count; folder++) {
    if (strcmp(folders[folder], "INBOX") != 0) put_text(&target, "c CREATE %s\r\n", folders[folder]);
    put_text(&source, "x EXAMINE %s\r\nf UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n", folders[folder]);
  }
  flush_out(&source);
  flush_out(&target);
  forward();
  /* Everything is stored: nobody has to wait for the farewell. */
  for (int side = 0; side < 2; side++) {
    put_text(both[side], "l3 LOGOUT\r\n");
    flush_out(both[side]);
  }
  return 0;
}

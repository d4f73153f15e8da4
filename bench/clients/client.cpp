// SPDX-License-Identifier: MIT
// One HTTP request over one TCP connection, as plain C programs make it.
//
// timeout_client blocking|epoll ADDRESS PORT CONNECT_MS READ_MS [user_timeout=MS | keepalive | fill=MS]
//
// 0 ms: no timeout of its own. It prints how it went, and exits with 0 if it was answered, else with 1.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

struct Options {
  bool epoll = false;
  sockaddr_in server{};
  int connect_ms = 0, read_ms = 0;
  std::string_view extra;
};

[[noreturn]] void end(const char* where, int error) {
  std::printf("%s: %s\n", where, strerrorname_np(error));
  std::fflush(stdout);
  _exit(1); // the kernel closes the connection, as for any program that ends
}

void set_option(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof(value)) != 0) end("setsockopt", errno);
}

void set_time(int fd, int option, int milliseconds) {
  const timeval time{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  if (setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time)) != 0) end("setsockopt", errno);
}

int value_of(std::string_view extra) { return std::atoi(extra.substr(extra.find('=') + 1).data()); }

void set_extra(int fd, std::string_view extra) {
  if (extra.starts_with("user_timeout=") || extra.starts_with("fill="))
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, value_of(extra));
  if (extra == "keepalive") {
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  }
}

// The epoll client's one wait. Ends the program when the time is over.
void await(int epoll, int fd, std::uint32_t events, int milliseconds, const char* where) {
  epoll_event wanted{.events = events, .data = {}};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &wanted) != 0) end(where, errno);
  epoll_event got{};
  const int ready = epoll_wait(epoll, &got, 1, milliseconds > 0 ? milliseconds : -1);
  if (ready == 0) {
    close(fd);
    end(where, ETIMEDOUT);
  }
  if (ready < 0) end(where, errno);
}

class Client {
 public:
  explicit Client(const Options& options)
      : options_(options),
        fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (options.epoll ? SOCK_NONBLOCK : 0), 0)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event nothing{};
    if (fd_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &nothing) != 0) end("socket", errno);
    set_extra(fd_, options_.extra);
    if (options_.epoll) return;
    set_time(fd_, SO_SNDTIMEO, options_.connect_ms); // it bounds connect(), too
    set_time(fd_, SO_RCVTIMEO, options_.read_ms);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    close(fd_);
    close(epoll_);
  }

  void connect_to_server() const {
    const auto* server = reinterpret_cast<const sockaddr*>(&options_.server);
    if (connect(fd_, server, sizeof(options_.server)) == 0) return;
    if (!options_.epoll || errno != EINPROGRESS) end("connect", errno);
    await(epoll_, fd_, EPOLLOUT, options_.connect_ms, "connect");
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) end("connect", error);
  }
  void send_request() const { send_all("GET / HTTP/1.0\r\n\r\n"); }
  // More than the peer's window and ours can hold: it ends when the connection does.
  void fill() const {
    const std::string block(65536, 'x');
    for (;;) send_all(block);
  }
  std::size_t receive_answer() const {
    if (options_.epoll) await(epoll_, fd_, EPOLLIN, options_.read_ms, "read");
    char answer[4096];
    const ssize_t length = recv(fd_, answer, sizeof(answer), 0);
    if (length < 0) end("read", errno);
    return static_cast<std::size_t>(length);
  }

 private:
  void send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN && options_.epoll)
        await(epoll_, fd_, EPOLLOUT, 0, "send");
      else if (sent < 0)
        end("send", errno);
      else
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  const Options& options_;
  int fd_, epoll_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  Options options{.epoll = std::string_view{argv[1]} == "epoll"};
  options.server.sin_family = AF_INET;
  options.server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[3])));
  if (inet_pton(AF_INET, argv[2], &options.server.sin_addr) != 1) return 2;
  options.connect_ms = std::atoi(argv[4]);
  options.read_ms = std::atoi(argv[5]);
  if (argc > 6) options.extra = argv[6];

  const Client client{options};
  client.connect_to_server();
  if (options.extra.starts_with("fill=")) client.fill();
  client.send_request();
  const bool answered = client.receive_answer() > 0;
  std::puts(answered ? "answered" : "read: end of stream");
  return answered ? 0 : 1;
}

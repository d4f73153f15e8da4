// SPDX-License-Identifier: MIT
#include "timeout_server.hpp"

#include <array>
#include <span>

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <sys/resource.h>

#include "support/trace_sockets.hpp"

namespace brownout::bench {
namespace {

constexpr char kAnswerText[] = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nanswer\n";
constexpr std::uint32_t kTakeAll = 0xffffffff;

void set_filter(int fd, std::span<const sock_filter> program) {
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                          .filter = const_cast<sock_filter*>(program.data())};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) != 0) _exit(91);
}

void lose_everything(int fd) {
  constexpr std::array<sock_filter, 1> kProgram{{BPF_STMT(BPF_RET | BPF_K, 0)}};
  set_filter(fd, kProgram);
}

// The filter sees a segment from its TCP header on: longer than that header says means payload.
void lose_payload(int fd) {
  constexpr std::array<sock_filter, 8> kProgram{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 12),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
      BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, kTakeAll),
  }};
  set_filter(fd, kProgram);
}

void lose_nothing(int fd) {
  const int unused = 0; // the kernel wants to be given some
  if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) != 0 && errno != ENOENT) _exit(91);
}

std::uint32_t lost(int fd) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t length = sizeof(figures);
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures.data(), &length) != 0) _exit(92);
  return figures[SK_MEMINFO_DROPS];
}

class Server {
 public:
  Server(const std::string& address, const std::vector<Listening>& all) {
    for (const Listening& one : all) {
      const int fd = test::listen_on(address, one.port);
      fcntl(fd, F_SETFL, O_NONBLOCK);
      prepare(fd, one.behaviour);
      add(fd, one.behaviour, true);
    }
  }
  // The late ones are looked at every 10 ms: a refused packet wakes nobody.
  int serve() {
    for (;;) {
      if (poll(polled_.data(), polled_.size(), late_ > 0 ? 10 : -1) < 0) return 1;
      for (std::size_t i = polled_.size(); i-- > 0;) {
        if (sockets_[i].behaviour == Behaviour::kAnswerLate) let_through(i);
        if (polled_[i].revents != 0) sockets_[i].listens ? take(i) : handle(i);
      }
    }
  }

 private:
  struct Socket {
    Behaviour behaviour;
    bool listens;
  };

  // An accepted socket inherits its listener's filter and buffer.
  static void prepare(int fd, Behaviour behaviour) {
    if (behaviour == Behaviour::kAnswerLate) lose_everything(fd);
    if (behaviour == Behaviour::kSwallow) lose_payload(fd);
    if (behaviour == Behaviour::kStuff) test::set_option(fd, SOL_SOCKET, SO_RCVBUF, 4096);
  }
  void add(int fd, Behaviour behaviour, bool listens) {
    const bool reads = listens || behaviour != Behaviour::kStuff;
    polled_.push_back({.fd = fd, .events = static_cast<short>(reads ? POLLIN : 0), .revents = 0});
    sockets_.push_back({behaviour, listens});
    late_ += behaviour == Behaviour::kAnswerLate ? 1 : 0;
  }
  void end(std::size_t i) {
    close(polled_[i].fd);
    late_ -= sockets_[i].behaviour == Behaviour::kAnswerLate ? 1 : 0;
    polled_.erase(polled_.begin() + static_cast<std::ptrdiff_t>(i));
    sockets_.erase(sockets_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  // The client closed, or only its half. Who never answers does not answer that either.
  void ended(std::size_t i) {
    if (sockets_[i].behaviour == Behaviour::kSilent && (polled_[i].revents & (POLLHUP | POLLERR)) == 0)
      polled_[i].events = 0;
    else
      end(i);
  }
  void let_through(std::size_t i) const {
    const int fd = polled_[i].fd;
    if (sockets_[i].listens && lost(fd) == 1) lose_payload(fd);
    if (!sockets_[i].listens && lost(fd) >= 2) lose_nothing(fd);
  }
  void take(std::size_t i) {
    const int fd = accept4(polled_[i].fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    test::set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    add(fd, sockets_[i].behaviour, false);
  }
  void handle(std::size_t i) {
    const int fd = polled_[i].fd;
    if (sockets_[i].behaviour == Behaviour::kStuff) return end(i); // an error: it asked for nothing else
    if (test::receive(fd, 0).empty()) return ended(i);
    switch (sockets_[i].behaviour) {
      case Behaviour::kAnswer:
      case Behaviour::kAnswerLate:
        test::send_text(fd, kAnswerText);
        return end(i);
      case Behaviour::kClose: return end(i);
      case Behaviour::kReset:
        test::close_with_reset(fd);
        polled_[i].fd = -1; // closed; poll() passes over it, and so does close()
        return end(i);
      case Behaviour::kVanish: return lose_everything(fd);
      case Behaviour::kSilent:
      case Behaviour::kSwallow:
      case Behaviour::kStuff: return;
    }
  }

  std::vector<pollfd> polled_;
  std::vector<Socket> sockets_;
  int late_ = 0;
};

}  // namespace

int misbehave(const test::Steps& steps, const std::string& address, const std::vector<Listening>& all) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Server server{address, all};
  steps.say('l');
  return server.serve();
}

}  // namespace brownout::bench

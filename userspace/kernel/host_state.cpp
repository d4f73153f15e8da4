// SPDX-License-Identifier: MIT
#include "brownout/host_state.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include <sched.h>

#include "brownout/capabilities.hpp"
#include "host_commands.hpp"
#include "netns.hpp"
#include "program_lister.hpp"

namespace brownout::kernel {
namespace {

// One thread that makes a listing whenever it is asked to.
class Lister {
 public:
  using List = std::function<std::vector<Listing>(std::chrono::milliseconds patience)>;

  // `where`: the network namespace that the thread goes to for good; none: it stays.
  Lister(const UniqueFd* where, List list)
      : list_(std::move(list)), thread_([this, where] { live(where); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return settled_; });
  }
  ~Lister() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Lister(const Lister&) = delete;
  Lister& operator=(const Lister&) = delete;

  const Result<>& arrived() const { return arrived_; }
  void begin(std::chrono::milliseconds patience) {
    {
      const std::lock_guard lock(mutex_);
      patience_ = patience;
      wanted_ = true;
    }
    changed_.notify_all();
  }
  std::vector<Listing> finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !wanted_; });
    return std::exchange(made_, {});
  }

 private:
  void live(const UniqueFd* where) {
    if (where != nullptr && ::setns(where->get(), CLONE_NEWNET) != 0)
      arrived_ = fail_errno(ErrorCode::kKernel, "enter the target's network namespace");
    std::unique_lock lock(mutex_);
    settled_ = true;
    changed_.notify_all();
    for (bool first = true;; first = false) {
      changed_.wait(lock, [this] { return wanted_ || ending_; });
      if (!wanted_) return;
      const auto patience = patience_;
      lock.unlock();
      auto made = list_(patience);
      // The drill arms nothing while a thread has more than that.
      if (first) static_cast<void>(keep_only({}));
      lock.lock();
      made_ = std::move(made);
      wanted_ = false;
      changed_.notify_all();
    }
  }

  List list_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool settled_ = false, wanted_ = false, ending_ = false;
  std::chrono::milliseconds patience_{};
  Result<> arrived_;
  std::vector<Listing> made_;
  std::thread thread_;
};

class Listers final : public HostState {
 public:
  Listers(const target::Target& target, const Interface& interface, UniqueFd netns,
          const std::filesystem::path& executable)
      : netns_(std::move(netns)),
        in_target_(&netns_,
                   [commands = commands_in_target(interface.container_name)](auto patience) {
                     auto listings = read_netns_files();
                     const auto printed = run_commands(commands, std::chrono::steady_clock::now() + patience);
                     listings.insert(listings.end(), printed.begin(), printed.end());
                     return listings;
                   }),
        on_host_(nullptr, [commands = commands_on_host(interface.host_name)](auto patience) {
          return run_commands(commands, std::chrono::steady_clock::now() + patience);
        }),
        program_lister_(interface.host_name, target.cgroup_path, executable),
        of_programs_(nullptr, [this](auto patience) { return program_lister_.list(patience); }) {}

  const Result<>& arrived() const { return in_target_.arrived(); }
  void begin(std::chrono::milliseconds patience) override {
    for (auto* lister : {&in_target_, &on_host_, &of_programs_}) lister->begin(patience);
  }
  std::vector<Listing> finish() override {
    auto listings = in_target_.finish();
    for (auto* lister : {&on_host_, &of_programs_}) {
      auto more = lister->finish();
      listings.insert(listings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }
    return listings;
  }

 private:
  UniqueFd netns_;
  Lister in_target_, on_host_;
  ProgramLister program_lister_;
  Lister of_programs_;
};

}  // namespace

Result<std::unique_ptr<HostState>> HostState::start(const target::Target& target, const Interface& interface,
                                                    const std::filesystem::path& executable) {
  BROWNOUT_ASSIGN(auto netns, open_netns(target.pid));
  auto state = std::make_unique<Listers>(target, interface, std::move(netns), executable);
  BROWNOUT_TRY(state->arrived());
  return std::unique_ptr<HostState>{std::move(state)};
}

}  // namespace brownout::kernel

// SPDX-License-Identifier: MIT
#include "residue.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace brownout::run {
namespace {

constexpr std::size_t kMostNumbers = 8192;
constexpr int kPatienceMs = 5000;

// How many of each kind, then their ids.
constexpr std::size_t kKinds = 4;
using Numbers = std::vector<std::uint32_t>;

Numbers encode(const kernel::ObjectIds& objects) {
  Numbers numbers;
  for (const auto count :
       {objects.programs.size(), objects.maps.size(), objects.links.size(), objects.interfaces.size()})
    numbers.push_back(static_cast<std::uint32_t>(count));
  for (const auto* ids : {&objects.programs, &objects.maps, &objects.links})
    numbers.insert(numbers.end(), ids->begin(), ids->end());
  for (const int index : objects.interfaces) numbers.push_back(static_cast<std::uint32_t>(index));
  return numbers;
}

std::optional<kernel::ObjectIds> decode(std::span<const std::uint32_t> numbers) {
  if (numbers.size() < kKinds) return std::nullopt;
  auto ids = numbers.subspan(kKinds);
  std::array<std::span<const std::uint32_t>, kKinds> parts;
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    if (numbers[kind] > ids.size()) return std::nullopt;
    parts[kind] = ids.first(numbers[kind]);
    ids = ids.subspan(numbers[kind]);
  }
  if (!ids.empty()) return std::nullopt;
  return kernel::ObjectIds{.programs = {parts[0].begin(), parts[0].end()},
                           .maps = {parts[1].begin(), parts[1].end()},
                           .links = {parts[2].begin(), parts[2].end()},
                           .interfaces = {parts[3].begin(), parts[3].end()}};
}

bool send_all(int socket, const Numbers& numbers) {
  const auto size = numbers.size() * sizeof numbers[0];
  return ::send(socket, numbers.data(), size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

std::optional<kernel::ObjectIds> receive(int socket) {
  Numbers numbers(kMostNumbers);
  const auto got = ::recv(socket, numbers.data(), numbers.size() * sizeof numbers[0], MSG_DONTWAIT);
  if (got <= 0) return std::nullopt;
  return decode(std::span{numbers}.first(static_cast<std::size_t>(got) / sizeof numbers[0]));
}

}  // namespace

Result<kernel::ObjectIds> ask_still_there(int guardian, const kernel::ObjectIds& objects) {
  pollfd one{guardian, POLLIN, 0};
  if (send_all(guardian, encode(objects)) && ::poll(&one, 1, kPatienceMs) == 1)
    if (auto left = receive(guardian)) return *std::move(left);
  return fail(ErrorCode::kKernel, "the guardian does not say what is left in the kernel");
}

bool answer_still_there(int drill) {
  const auto objects = receive(drill);
  return objects && send_all(drill, encode(kernel::still_there(*objects)));
}

}  // namespace brownout::run

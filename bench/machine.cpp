// SPDX-License-Identifier: MIT
#include "machine.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/utsname.h>

namespace brownout::bench {
namespace {

std::string cpu_model() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string first_line(const char* path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

nlohmann::json machine() {
  utsname name{};
  ::uname(&name);
  return {{"kernel", name.release},
          {"architecture", name.machine},
          {"cpu", cpu_model()},
          {"cpus", std::thread::hardware_concurrency()},
          {"clocksource", first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
          {"load_at_start", first_line("/proc/loadavg")}};
}

CpuMeter::CpuMeter() : start_(read()) {}

CpuMeter::Reading CpuMeter::read() {
  std::istringstream line{first_line("/proc/stat")};
  std::string label;
  line >> label;
  Reading reading;
  // user nice system idle iowait irq softirq steal; guest times are in user's already
  for (int field = 0; field < 8; ++field) {
    double ticks = 0;
    line >> ticks;
    reading.all += ticks;
    if (field != 3 && field != 4) reading.busy += ticks;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  reading.process_s = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return reading;
}

double CpuMeter::busy_share() const {
  const Reading now = read();
  return now.all > start_.all ? (now.busy - start_.busy) / (now.all - start_.all) : 0;
}

double CpuMeter::process_s() const { return read().process_s - start_.process_s; }

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)];
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  if (values.empty()) return 0;
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace brownout::bench

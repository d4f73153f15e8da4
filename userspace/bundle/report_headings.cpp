// SPDX-License-Identifier: MIT
#include "report_headings.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace brownout::bundle {
namespace {

struct Words { std::string_view english, chinese; };

// In the order of the enum.
constexpr std::array kWords{
    Words{"What happened", "发生了什么"},
    Words{"Context", "背景"},
    Words{"Severity", "等级"},
    Words{"Injection method", "注入方式"},
    Words{"Degradation evidence", "退化证据"},
    Words{"Root cause by facts", "基于事实的根因"},
    Words{"Evidence bundle", "证据包"},
    Words{"Rules respected", "规则遵守声明"},
    Words{"Next step", "下一步"},
    Words{"Timeline (UTC)", "时间线（UTC）"},
    Words{"What ran", "运行的版本"},
    Words{"What was injected", "注入的内容"},
    Words{"Packets on record", "记录在案的数据包"},
    Words{"Figures before, during and after", "注入前、注入中、注入后的数据"},
    Words{"Calls by destination", "按目的地统计的调用"},
    Words{"Under way between phases", "阶段交界时仍在进行的调用"},
    Words{"Calls that failed in the window", "窗口内失败的调用"},
    Words{"DNS queries that failed in the window", "窗口内失败的 DNS 查询"},
    Words{"Errors of the app in the window that no failed call explains", "窗口内没有失败调用可以解释的应用错误"},
    Words{"The kernel's own counts", "内核自身的计数"},
    Words{"Checks", "检查项"},
    Words{"Why each check went as it did", "各检查项结果的原因"},
    Words{"What is not known", "尚不清楚的事实"},
    Words{"What could not be observed", "未能观测到的内容"},
    Words{"Raw evidence in shards", "分片的原始证据"},
    Words{"How to check this bundle", "如何核验本证据包"},
};
static_assert(kWords.size() == static_cast<std::size_t>(Heading::kHowToCheck) + 1);
static_assert(std::ranges::none_of(kWords, [](const Words& words) { return words.english.empty() || words.chinese.empty(); }));

}  // namespace

std::string heading(Heading heading, ReportLanguage language) {
  const auto number = static_cast<std::size_t>(heading);
  const auto& [english, chinese] = kWords.at(number);
  const std::string_view level = number < kSections ? "##" : "###";
  if (language == ReportLanguage::kEnglish) return fmt::format("\n{} {}\n\n", level, english);
  return fmt::format("\n{} {} / {}\n\n", level, english, chinese);
}

std::optional<ReportLanguage> report_language(std::string_view word) {
  const auto found = std::ranges::find(kReportLanguages, word);
  if (found == kReportLanguages.end()) return std::nullopt;
  return static_cast<ReportLanguage>(found - kReportLanguages.begin());
}

std::string_view word(ReportLanguage language) { return kReportLanguages.at(static_cast<std::size_t>(language)); }

ReportLanguage report_language_of(const nlohmann::json& manifest) {
  const auto found = manifest.is_object() ? manifest.find(kReportLanguageKey) : manifest.end();
  if (found == manifest.end() || !found->is_string()) return ReportLanguage::kEnglish;
  return report_language(found->get_ref<const std::string&>()).value_or(ReportLanguage::kEnglish);
}

}  // namespace brownout::bundle

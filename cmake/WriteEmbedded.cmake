# Where a browser would find the source map is cut off: a report asks for no file.
file(READ ${INPUT} text)
string(REGEX REPLACE "(//# sourceMappingURL=[^\n]*|/\\*# sourceMappingURL=[^\n]*\\*/)" "" text "${text}")
file(WRITE ${OUTPUT} "// Made of ${INPUT}
#include \"embedded.hpp\"

namespace brownout::bundle::embedded {
const std::string_view ${NAME} = R\"~embedded~(${text})~embedded~\";
}  // namespace brownout::bundle::embedded
")

# Writes OUTPUT, a C++ source with every *.schema.json of SOURCE: userspace/bundle/schemas.hpp.
file(GLOB files ${SOURCE}/*.schema.json)
list(SORT files)
set(entries "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND entries "    {\"schema/${name}\", R\"schema(${text})schema\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from docs/schemas.
#include \"schemas.hpp\"

namespace brownout::bundle {
namespace {

constexpr Schema kSchemas[] = {
${entries}};

}  // namespace

std::span<const Schema> schemas() { return kSchemas; }

}  // namespace brownout::bundle
")

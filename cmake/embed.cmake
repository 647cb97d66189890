# Writes a C++ source with the bytes of files: cmake -DOUTPUT=x.cpp -DHEADER=x.h
# "-DFILES=name=path|name=path" -P embed.cmake. Each becomes `const std::string_view NAME`.
string(REPLACE "|" ";" FILES "${FILES}")
set(source "#include \"${HEADER}\"\n\nnamespace aitqe {\n")
foreach(entry IN LISTS FILES)
  string(FIND "${entry}" "=" at)
  string(SUBSTRING "${entry}" 0 ${at} name)
  math(EXPR at "${at} + 1")
  string(SUBSTRING "${entry}" ${at} -1 path)
  file(READ "${path}" hex HEX)
  file(SIZE "${path}" size)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND source "static constexpr char ${name}Bytes[] = {${bytes}'\\0'};\n"
                       "const std::string_view ${name}(${name}Bytes, ${size});\n")
endforeach()
string(APPEND source "}  // namespace aitqe\n")
file(WRITE "${OUTPUT}" "${source}")

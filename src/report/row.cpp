#include "aitqe/report/row.h"

#include <map>

#include "aitqe/base/error.h"
#include "column_path.h"
#include "json_fields.h"

namespace aitqe {
namespace {

void append_name(std::string& json, std::string_view name) {
  if (json.back() != '{') json += ", ";
  append_json_text(json, name);
  json += ": ";
}

void append_value(std::string& json, const ColumnValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_json_text(json, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    json += std::to_string(*integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    append_json_float(json, *number);
  } else {
    json += std::get<bool>(value) ? "true" : "false";
  }
}

struct ColumnReader {
  JsonFields& fields;
  std::string_view name;
  ReportRow& row;

  void operator()(std::string& (*access)(ReportRow&)) const { access(row) = fields.text(name); }
  void operator()(std::int64_t& (*access)(ReportRow&)) const { access(row) = fields.integer(name); }
  void operator()(double& (*access)(ReportRow&)) const { access(row) = fields.number(name); }
  void operator()(bool& (*access)(ReportRow&)) const { access(row) = fields.boolean(name); }
  void operator()(Decision& (*access)(ReportRow&)) const {
    access(row) = decision_from_name(fields.text(name));
  }
};

}  // namespace

std::string to_json_line(const ReportRow& row) {
  std::string json = "{";
  std::string_view open_group;
  for (const Column& column : report_columns()) {
    const auto [group, field] = path_of(column);
    if (group != open_group) {
      if (!open_group.empty()) json += '}';
      if (!group.empty()) {
        append_name(json, group);
        json += '{';
      }
      open_group = group;
    }
    append_name(json, field);
    append_value(json, column_value(row, column));
  }
  if (!open_group.empty()) json += '}';
  return json += '}';
}

ReportRow from_json_line(std::string_view line) {
  const Json json = JsonFields::parse(line, "report row");
  JsonFields top(json, "report row");
  top.schema(kRowSchema);
  std::map<std::string_view, JsonFields> groups;
  ReportRow row;
  for (const Column& column : report_columns()) {
    const auto [group, field] = path_of(column);
    JsonFields* fields = &top;
    if (!group.empty()) {
      const auto found = groups.find(group);
      fields = found != groups.end()
                   ? &found->second
                   : &groups.emplace(group, JsonFields(top.object(group), top.path(group)))
                          .first->second;
    }
    std::visit(ColumnReader{*fields, field, row}, column.field);
  }
  top.finish();
  for (const auto& [name, fields] : groups) fields.finish();
  return row;
}

}  // namespace aitqe

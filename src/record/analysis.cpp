#include "record/analysis.h"

#include <cmath>

#include "core/error.h"
#include "format/file.h"
#include "format/json.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Unit unit_of(const std::string& name, const std::string& origin) {
  for (const Unit unit : {Unit::share, Unit::points, Unit::cosine}) {
    if (name == unit_name(unit)) return unit;
  }
  throw DataError(concat(origin, ": unit '", name, "', expected share, points or cosine"));
}

json to_json(const Measure& measure) {
  json out{{"key", measure.key},
           {"title", measure.title},
           {"group", measure.group},
           {"unit", unit_name(measure.unit)}};
  const auto put = [&](const char* name, const std::optional<double>& value) {
    if (!value) return;
    if (!std::isfinite(*value)) {
      throw InternalError(concat(measure.key, ".", name, " is ", *value));
    }
    out[name] = *value;
  };
  put("value", measure.value);
  put("low", measure.low);
  put("high", measure.high);
  put("chance", measure.chance);
  return out;
}

Measure measure_of(const json& object, const std::string& origin) {
  Measure measure;
  measure.key = object.at("key").get<std::string>();
  measure.title = object.at("title").get<std::string>();
  measure.group = object.at("group").get<std::string>();
  measure.unit = unit_of(object.at("unit").get<std::string>(), origin);
  measure.value = object.at("value").get<double>();
  const auto number = [&](const char* name) -> std::optional<double> {
    const auto found = object.find(name);
    if (found == object.end()) return std::nullopt;
    return found->get<double>();
  };
  measure.low = number("low");
  measure.high = number("high");
  measure.chance = number("chance");
  return measure;
}

AnalysisPicture picture_of(const json& object, const std::string& origin) {
  AnalysisPicture picture{object.at("file").get<std::string>(),
                          object.at("title").get<std::string>(),
                          object.at("caption").get<std::string>()};
  const fs::path file(picture.file);
  bool inside = !file.empty() && file.is_relative();
  for (const fs::path& part : file) inside = inside && part != "..";
  if (!inside) {
    throw DataError(concat(origin, ": picture '", picture.file, "' lies outside the run folder"));
  }
  return picture;
}

}  // namespace

const char* unit_name(Unit unit) {
  if (unit == Unit::share) return "share";
  return unit == Unit::points ? "points" : "cosine";
}

fs::path analysis_file(const fs::path& run) {
  return run / "analysis.json";
}

json to_json(const Analysis& analysis) {
  json out{{"format_version", format::kFormatVersion},
           {"settings_hash", analysis.settings_hash},
           {"settings", analysis.settings},
           {"measures", json::array()},
           {"pictures", json::array()}};
  for (const Measure& measure : analysis.measures) out["measures"].push_back(to_json(measure));
  for (const AnalysisPicture& each : analysis.pictures) {
    out["pictures"].push_back(
        {{"file", each.file}, {"title", each.title}, {"caption", each.caption}});
  }
  return out;
}

Analysis parse_analysis(std::string_view text, const std::string& origin) {
  const json object = format::parse_json(text, origin);
  if (!object.is_object()) throw DataError(concat(origin, ": expected a JSON object"));
  format::check_format_version(object, origin);
  return format::reading(origin, [&] {
    Analysis analysis;
    analysis.settings_hash = object.at("settings_hash").get<std::string>();
    analysis.settings = object.at("settings").get<json::object_t>();
    for (const json& each : object.at("measures").get_ref<const json::array_t&>()) {
      analysis.measures.push_back(measure_of(each, origin));
    }
    for (const json& each : object.at("pictures").get_ref<const json::array_t&>()) {
      analysis.pictures.push_back(picture_of(each, origin));
    }
    return analysis;
  });
}

void write_analysis(const fs::path& run, const Analysis& analysis) {
  format::write_file_atomic(
      analysis_file(run),
      to_json(analysis).dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

std::optional<Analysis> read_analysis(const fs::path& run) {
  const fs::path file = analysis_file(run);
  if (!fs::exists(file)) return std::nullopt;
  return parse_analysis(format::read_text(file), file.string());
}

}  // namespace smcl::record

#include "config/yaml/yaml_node.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <sstream>
#include <utility>

#include "config/yaml/config_error.h"
#include "core/base/text.h"

namespace procevent {

namespace {

bool IsBlank(std::string_view text) { return text.front() == '\t' || text.front() == '\n' || text.starts_with("\r\n"); }

std::string Name(std::string_view text, std::size_t length) {
  if (length == 0) {
    return "a byte that is no UTF-8";
  }
  return text.starts_with("\xEF\xBB\xBF") ? "a byte-order mark" : "a control character";
}

}  // namespace

std::optional<ConfigError> FindUnreadable(std::string_view text, const std::string& file) {
  TextPosition place{1, 1};
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0 || !(IsBlank(text) || IsPrintable(text, length))) {
      const std::string bytes = EscapeUnprintable(text.substr(0, std::max<std::size_t>(length, 1)));
      return ConfigError{
          file, place, {}, Name(text, length) + " (" + bytes + ")", "printable UTF-8 without a byte-order mark"};
    }
    place = text.front() == '\n' ? TextPosition{place.line + 1, 1}
                                 : TextPosition{place.line, place.column + static_cast<int>(length)};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

namespace {

constexpr std::string_view kMarks = "._/-:";

bool MayStandBare(std::string_view text) {
  const auto plain = [](char c) { return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos; };
  // A colon means nothing within a word, but at its end it makes a key of it. A word of letters alone may be `null`.
  return !text.empty() && (IsAlphanumeric(text.front()) || text.front() == '/') && IsAlphanumeric(text.back()) &&
         std::ranges::all_of(text, plain) && text.find_first_of(kMarks) != std::string_view::npos;
}

// \u0085, \U0001f600.
void AppendEscaped(std::string& out, char32_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr char32_t kLargestShort = 0xFFFF;
  const bool is_short = code <= kLargestShort;
  out += is_short ? "\\u" : "\\U";
  for (unsigned digit = is_short ? 4 : 8; digit > 0; --digit) {
    out += kDigits[code >> (digit - 1) * 4 & 0xFU];
  }
}

}  // namespace

std::string YamlText(std::string_view text) { return MayStandBare(text) ? std::string(text) : YamlQuoted(text); }

std::string YamlQuoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(Utf8Length(text), 1);
    if (Utf8Length(text) == 0) {
      AppendEscaped(out,
                    static_cast<unsigned char>(text.front()));  // cannot be said otherwise; YAML gives no such text
    } else if (!IsPrintable(text, length)) {
      AppendEscaped(out, CodePoint(text, length));
    } else {
      out += text.front() == '"' || text.front() == '\\' ? "\\" : "";
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

namespace {

constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostValues = 10'000;
constexpr std::size_t kMostFaults = 200;

TextPosition PlaceOf(const YAML::Mark& mark) {
  return mark.is_null() ? TextPosition{} : TextPosition{mark.line + 1, mark.column + 1};
}

// Whether the quoted text that begins here ends: yaml-cpp takes the end of the file for a quote.
bool IsClosed(std::string_view text) {
  const char quote = text.front();
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool escape = quote == '"' ? text[at] == '\\' : text.substr(at).starts_with("''");
    if (escape) {
      ++at;
    } else if (text[at] == quote) {
      return true;
    }
  }
  return false;
}

// yaml-cpp breaks on a tab in the indentation, and calls it something else.
bool IsIndentedByTab(std::string_view text, int line) {
  for (int i = 0; i < line; ++i) {
    const std::size_t end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  const std::size_t indentation = text.find_first_not_of(" \t");
  return text.substr(0, indentation).find('\t') != std::string_view::npos;
}

ConfigError WhyBroken(const YAML::Exception& e, std::string_view text, const std::string& file) {
  if (!e.mark.is_null() && IsIndentedByTab(text, e.mark.line)) {
    return {file, PlaceOf(e.mark), {}, "a tab in the indentation", "indentation by spaces"};
  }
  return {file, PlaceOf(e.mark), {}, "broken YAML: " + EscapeUnprintable(e.msg), "well-formed YAML"};
}

// Thrown by the builder to end a parse, after it noted the fault.
class ParseAborted : public std::exception {};

// Turns yaml-cpp's events into the tree. Its frames are the containers that are open.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::string& file, YamlDocument& document)
      : text_(text), file_(file), document_(document) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_document_) {
      End(PlaceOf(mark), "a second document", "one document");
    }
    seen_document_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    constexpr std::size_t kNullBytes = 4;
    const bool spelled = ByteAt(mark) == 'n' || ByteAt(mark) == 'N' || ByteAt(mark) == '~';
    YamlNode node = Begin(mark, YamlNode::Kind::kNothing);
    if (frames_.empty() && spelled) {
      node.kind = YamlNode::Kind::kScalar;  // a text of which this is all is not empty
      node.scalar = text_.substr(static_cast<std::size_t>(mark.pos), ByteAt(mark) == '~' ? 1 : kNullBytes);
    }
    // yaml-cpp marks an empty value where the next thing begins.
    if (!frames_.empty() && !frames_.back().key_due) {
      node.place = frames_.back().NextPlace();
    }
    RefuseProperties(node, mark, anchor, {});
    Add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    YamlNode node = Begin(mark, YamlNode::Kind::kInvalid);
    Note(node.place, Path(), "an alias", "the value itself");
    Add(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = Begin(mark, YamlNode::Kind::kScalar);
    node.scalar = value;
    RefuseProperties(node, mark, anchor, tag);
    if ((ByteAt(mark) == '"' || ByteAt(mark) == '\'') && !IsClosed(text_.substr(static_cast<std::size_t>(mark.pos)))) {
      End(node.place, "a quote that never ends", "a text between two quotes");
    }
    Add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(mark, YamlNode::Kind::kList, anchor, tag);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(mark, YamlNode::Kind::kMap, anchor, tag);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YamlNode node;
    bool key_due = false;  // of a map: the next value is a key
    bool drop = false;     // of a map: the key was refused, its value goes too
    std::string key;
    TextPosition key_place;

    [[nodiscard]] TextPosition NextPlace() const { return node.kind == YamlNode::Kind::kMap ? key_place : node.place; }
  };

  void Note(TextPosition place, std::string key, std::string found, std::string allowed) {
    if (document_.faults.size() >= kMostFaults) {
      throw ParseAborted();
    }
    document_.faults.push_back({file_, place, std::move(key), std::move(found), std::move(allowed)});
  }

  [[noreturn]] void End(TextPosition place, std::string found, std::string allowed) {
    Note(place, {}, std::move(found), std::move(allowed));
    throw ParseAborted();
  }

  YamlNode Begin(const YAML::Mark& mark, YamlNode::Kind kind) {
    if (++values_ > kMostValues) {
      End(PlaceOf(mark), "more than " + std::to_string(kMostValues) + " values", "a smaller file");
    }
    YamlNode node;
    node.kind = kind;
    node.place = PlaceOf(mark);
    return node;
  }

  [[nodiscard]] char ByteAt(const YAML::Mark& mark) const {
    const auto at = static_cast<std::size_t>(mark.pos);
    return mark.pos >= 0 && at < text_.size() ? text_[at] : '\0';
  }

  // Where the next value would be.
  [[nodiscard]] std::string Path() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.node.kind == YamlNode::Kind::kList) {
        path = JoinIndex(path, frame.node.children.size());
      } else if (!frame.key_due) {
        path = JoinPath(path, frame.key);
      }
    }
    return path;
  }

  // "?" is what yaml-cpp calls no tag, and "!" a quoted text, unless it is there to be read.
  void RefuseProperties(YamlNode& node, const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    const bool tagged = (!tag.empty() && tag != "?" && tag != "!") || ByteAt(mark) == '!';
    if (anchor == 0 && !tagged) {
      return;
    }
    Note(PlaceOf(mark), Path(), anchor != 0 ? "an anchor" : "a tag", "the value alone");
    if (node.kind != YamlNode::Kind::kList && node.kind != YamlNode::Kind::kMap) {
      node.kind = YamlNode::Kind::kInvalid;
    }
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor, const std::string& tag) {
    Frame frame;
    frame.node = Begin(mark, kind);
    frame.key_due = kind == YamlNode::Kind::kMap;
    RefuseProperties(frame.node, mark, anchor, tag);
    if (frames_.size() >= kMostDepth) {
      End(frame.node.place, "more than " + std::to_string(kMostDepth) + " levels", "a flatter file");
    }
    frames_.push_back(std::move(frame));
  }

  void Close() {
    YamlNode node = std::move(frames_.back().node);
    frames_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (frames_.empty()) {
      document_.root = std::move(node);
      return;
    }
    Frame& parent = frames_.back();
    if (parent.key_due) {
      AddKey(parent, std::move(node));
      return;
    }
    parent.key_due = parent.node.kind == YamlNode::Kind::kMap;
    if (std::exchange(parent.drop, false)) {
      return;
    }
    node.key = std::move(parent.key);
    node.key_place = parent.key_place;
    parent.node.children.push_back(std::move(node));
  }

  void AddKey(Frame& map, YamlNode key) {
    map.key_place = key.place;
    map.drop = key.kind != YamlNode::Kind::kScalar;
    if (map.drop && key.kind != YamlNode::Kind::kInvalid) {
      Note(key.place, Path(), "a key that is no text", "a name and a colon");
    }
    map.key = std::move(key.scalar);
    map.key_due = false;
    const auto first = std::ranges::find(map.node.children, map.key, &YamlNode::key);
    if (!map.drop && first != map.node.children.end()) {
      map.drop = true;
      const std::string line = std::to_string(first->key_place.line);
      Note(key.place, Path(), "the key a second time (line " + line + " has one)", "each key once");
    }
  }

  std::string_view text_;
  const std::string& file_;
  YamlDocument& document_;
  std::vector<Frame> frames_;
  std::size_t values_ = 0;
  bool seen_document_ = false;
};

}  // namespace

YamlDocument ParseYaml(std::string_view text, const std::string& file) {
  YamlDocument document;
  if (auto fault = FindUnreadable(text, file)) {
    document.faults.push_back(*std::move(fault));
    return document;
  }
  try {
    std::istringstream stream(std::string(text) + '\n');  // so that the end of the file has a place of its own
    YAML::Parser parser(stream);
    TreeBuilder builder(text, file, document);
    while (parser.HandleNextDocument(builder)) {
    }
    document.whole = true;
  } catch (const ParseAborted&) {
    document.whole = false;  // the builder said why
  } catch (const YAML::Exception& e) {
    document.faults.push_back(WhyBroken(e, text, file));
  }
  return document;
}

}  // namespace procevent

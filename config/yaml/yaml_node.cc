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

#include "core/base/input_error.h"
#include "core/base/text.h"

namespace procevent {

namespace {

bool IsBlank(std::string_view text) { return text.front() == '\t' || text.front() == '\n' || text.starts_with("\r\n"); }

// `length`: of the first character, 0 if it is not UTF-8.
std::string DescribeUnprintable(std::string_view text, std::size_t length) {
  const std::string bytes = " (" + EscapeUnprintable(text.substr(0, std::max<std::size_t>(length, 1))) + ')';
  if (length == 0) {
    return "invalid UTF-8 byte" + bytes;
  }
  return (text.starts_with("\xEF\xBB\xBF") ? "unexpected byte-order mark" : "unexpected control character") + bytes;
}

constexpr std::string_view kPunctuation = "._/-:";

bool NeedsNoQuotes(std::string_view text) {
  const auto is_plain = [](char c) { return IsAlphanumeric(c) || kPunctuation.find(c) != std::string_view::npos; };
  // A colon at the end of a word would make it a key, one inside does not. A word of letters alone could be `null`.
  return !text.empty() && (IsAlphanumeric(text.front()) || text.front() == '/') && IsAlphanumeric(text.back()) &&
         std::ranges::all_of(text, is_plain) && text.find_first_of(kPunctuation) != std::string_view::npos;
}

// \u0085, \U0001f600.
void AppendEscaped(std::string& out, char32_t code) {
  const bool is_short = code <= 0xFFFF;
  out += is_short ? "\\u" : "\\U";
  AppendHex(out, code, is_short ? 4 : 8);
}

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxValues = 10'000;
constexpr std::size_t kMaxErrors = 200;

TextPosition PositionOf(const YAML::Mark& mark) {
  return mark.is_null() ? TextPosition{} : TextPosition{mark.line + 1, mark.column + 1};
}

// Whether the quoted text that begins here has a closing quote. yaml-cpp accepts the end of the file as one.
bool HasClosingQuote(std::string_view text) {
  const char quote = text.front();
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool is_escape = quote == '"' ? text[at] == '\\' : text.substr(at).starts_with("''");
    if (is_escape) {
      ++at;
    } else if (text[at] == quote) {
      return true;
    }
  }
  return false;
}

// yaml-cpp rejects a tab in the indentation with a misleading message. `line` counts from 0.
bool IsIndentedByTab(std::string_view text, int line) {
  for (int i = 0; i < line; ++i) {
    const std::size_t end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  const std::size_t indentation = text.find_first_not_of(" \t");
  return text.substr(0, indentation).find('\t') != std::string_view::npos;
}

InputError ToInputError(const YAML::Exception& e, std::string_view text, const std::string& file) {
  if (!e.mark.is_null() && IsIndentedByTab(text, e.mark.line)) {
    return {file, PositionOf(e.mark), {}, "tab in the indentation", "spaces"};
  }
  return {file, PositionOf(e.mark), {}, "invalid YAML: " + EscapeUnprintable(e.msg), "well-formed YAML"};
}

// Ends a parse. TreeBuilder has recorded the error before it throws this.
class ParseAborted : public std::exception {};

// Builds the tree from yaml-cpp's parse events. Has one frame for each map or list that is not closed yet.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::string& file, YamlDocument& document)
      : text_(text), file_(file), document_(document) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (document_started_) {
      Abort(PositionOf(mark), "unexpected second document", "one document");
    }
    document_started_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    constexpr std::size_t kNullBytes = 4;
    const bool is_written = ByteAt(mark) == 'n' || ByteAt(mark) == 'N' || ByteAt(mark) == '~';
    YamlNode node = BeginNode(mark, YamlNode::Kind::kEmpty);
    if (frames_.empty() && is_written) {
      node.kind = YamlNode::Kind::kScalar;  // a document that is only `null` is not an empty document
      node.scalar = text_.substr(static_cast<std::size_t>(mark.pos), ByteAt(mark) == '~' ? 1 : kNullBytes);
    }
    // yaml-cpp gives an empty value the position of the token after it.
    if (!frames_.empty() && !frames_.back().expects_key) {
      node.position = frames_.back().EmptyValuePosition();
    }
    RejectProperties(node, mark, anchor, {});
    Add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    YamlNode node = BeginNode(mark, YamlNode::Kind::kInvalid);
    AddError(node.position, Path(), "unexpected alias", "the value itself");
    Add(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = BeginNode(mark, YamlNode::Kind::kScalar);
    node.scalar = value;
    RejectProperties(node, mark, anchor, tag);
    if ((ByteAt(mark) == '"' || ByteAt(mark) == '\'') &&
        !HasClosingQuote(text_.substr(static_cast<std::size_t>(mark.pos)))) {
      Abort(node.position, "missing closing quote", "a text between two quotes");
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
    bool expects_key = false;  // of a map: the next value is a key
    bool drop_value = false;   // of a map: the key was rejected, so is its value
    std::string key;
    TextPosition key_position;

    [[nodiscard]] TextPosition EmptyValuePosition() const {
      return node.kind == YamlNode::Kind::kMap ? key_position : node.position;
    }
  };

  void AddError(TextPosition position, std::string key, std::string problem, std::string expected) {
    if (document_.errors.size() >= kMaxErrors) {
      throw ParseAborted();
    }
    document_.errors.push_back({file_, position, std::move(key), std::move(problem), std::move(expected)});
  }

  [[noreturn]] void Abort(TextPosition position, std::string problem, std::string expected) {
    AddError(position, {}, std::move(problem), std::move(expected));
    throw ParseAborted();
  }

  YamlNode BeginNode(const YAML::Mark& mark, YamlNode::Kind kind) {
    if (++values_ > kMaxValues) {
      Abort(PositionOf(mark), "too many values", "at most " + std::to_string(kMaxValues));
    }
    YamlNode node;
    node.kind = kind;
    node.position = PositionOf(mark);
    return node;
  }

  [[nodiscard]] char ByteAt(const YAML::Mark& mark) const {
    const auto at = static_cast<std::size_t>(mark.pos);
    return mark.pos >= 0 && at < text_.size() ? text_[at] : '\0';
  }

  // The path of the next value.
  [[nodiscard]] std::string Path() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.node.kind == YamlNode::Kind::kList) {
        path = JoinIndex(path, frame.node.children.size());
      } else if (!frame.expects_key) {
        path = JoinPath(path, frame.key);
      }
    }
    return path;
  }

  // Rejects anchors and tags. yaml-cpp reports "?" for a value without a tag, and "!" for a quoted text or a written !.
  void RejectProperties(YamlNode& node, const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    const bool has_tag = (!tag.empty() && tag != "?" && tag != "!") || ByteAt(mark) == '!';
    if (anchor == 0 && !has_tag) {
      return;
    }
    AddError(PositionOf(mark), Path(), anchor != 0 ? "unexpected anchor" : "unexpected tag", "the value alone");
    if (node.kind != YamlNode::Kind::kList && node.kind != YamlNode::Kind::kMap) {
      node.kind = YamlNode::Kind::kInvalid;
    }
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor, const std::string& tag) {
    Frame frame;
    frame.node = BeginNode(mark, kind);
    frame.expects_key = kind == YamlNode::Kind::kMap;
    RejectProperties(frame.node, mark, anchor, tag);
    if (frames_.size() >= kMaxDepth) {
      Abort(frame.node.position, "too many levels", "at most " + std::to_string(kMaxDepth));
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
    if (parent.expects_key) {
      AddKey(parent, std::move(node));
      return;
    }
    parent.expects_key = parent.node.kind == YamlNode::Kind::kMap;
    if (std::exchange(parent.drop_value, false)) {
      return;
    }
    node.key = std::move(parent.key);
    node.key_position = parent.key_position;
    parent.node.children.push_back(std::move(node));
  }

  void AddKey(Frame& map, YamlNode key) {
    map.key_position = key.position;
    map.drop_value = key.kind != YamlNode::Kind::kScalar;
    if (map.drop_value && key.kind != YamlNode::Kind::kInvalid) {
      AddError(key.position, Path(), "invalid key", "a name and a colon");
    }
    const std::string map_path = Path();
    map.key = std::move(key.scalar);
    map.expects_key = false;
    const auto first = std::ranges::find(map.node.children, map.key, &YamlNode::key);
    if (!map.drop_value && first != map.node.children.end()) {
      map.drop_value = true;
      AddError(key.position, map_path, "duplicate key " + QuotePrintable(map.key),
               "each key once (first on line " + std::to_string(first->key_position.line) + ')');
    }
  }

  std::string_view text_;
  const std::string& file_;
  YamlDocument& document_;
  std::vector<Frame> frames_;
  std::size_t values_ = 0;
  bool document_started_ = false;
};

}  // namespace

std::optional<InputError> FindUnprintable(std::string_view text, const std::string& file) {
  TextPosition position{1, 1};
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0 || !(IsBlank(text) || IsPrintable(text, length))) {
      return InputError{
          file, position, {}, DescribeUnprintable(text, length), "printable UTF-8 without a byte-order mark"};
    }
    position = text.front() == '\n' ? TextPosition{position.line + 1, 1}
                                    : TextPosition{position.line, position.column + static_cast<int>(length)};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

std::string YamlText(std::string_view text) { return NeedsNoQuotes(text) ? std::string(text) : YamlQuoted(text); }

std::string YamlQuoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length != 0 && IsPrintable(text, length)) {
      out += text.front() == '"' || text.front() == '\\' ? "\\" : "";
      out += text.substr(0, length);
    } else {
      // YAML has no escape for a byte that is not UTF-8. Texts that were parsed from YAML contain none.
      AppendEscaped(out, length != 0 ? CodePoint(text, length) : static_cast<unsigned char>(text.front()));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

YamlDocument ParseYaml(std::string_view text, const std::string& file) {
  YamlDocument document;
  if (auto error = FindUnprintable(text, file)) {
    document.errors.push_back(*std::move(error));
    return document;
  }
  try {
    std::istringstream stream(std::string(text) + '\n');  // errors at the end of the file get a line of their own
    YAML::Parser parser(stream);
    TreeBuilder builder(text, file, document);
    while (parser.HandleNextDocument(builder)) {
    }
    document.complete = true;
  } catch (const ParseAborted&) {
    document.complete = false;  // the builder has recorded the error
  } catch (const YAML::Exception& e) {
    document.errors.push_back(ToInputError(e, text, file));
  }
  return document;
}

}  // namespace procevent

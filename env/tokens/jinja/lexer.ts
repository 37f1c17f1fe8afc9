/**
 * Splits a template into tokens. As Jinja does with `trim_blocks` and `lstrip_blocks`, the lexer drops the line break
 * after a block tag or comment, and the indentation of a line that begins with one.
 */

import { Float } from "../../python/python_value.ts";
import { normalInt } from "../../python/python_value.ts";
import { syntaxError } from "./template_error.ts";
import { SPACES, trimEnd } from "../../python/python_space.ts";
import { unescapeString } from "./template_string.ts";

/** The type of a token. Each operator is a separate type. */
export type TokenType =
  | "data"
  | "variable_begin"
  | "variable_end"
  | "block_begin"
  | "block_end"
  | "name"
  | "string"
  | "integer"
  | "float"
  | "eof"
  | Operator;

/** A token of a template. */
export interface Token {
  readonly type: TokenType;
  /** The source text or, for a string literal, its value. Empty for the beginning or the end of a tag and for `eof`. */
  readonly text: string;
  /** The value of a number literal. */
  readonly value?: number | bigint | Float;
  readonly line: number;
}

const OPERATORS = [
  ..."// ** == != >= <= + - / * % ~ [ ] ( ) { } > < = . : | , ;".split(" "),
] as const;
type Operator =
  | "//"
  | "**"
  | "=="
  | "!="
  | ">="
  | "<="
  | "+"
  | "-"
  | "/"
  | "*"
  | "%"
  | "~"
  | "["
  | "]"
  | "("
  | ")"
  | "{"
  | "}"
  | ">"
  | "<"
  | "="
  | "."
  | ":"
  | "|"
  | ","
  | ";";

const CLOSING: Readonly<Record<string, string>> = {
  "(": ")",
  "[": "]",
  "{": "}",
};

const TAG = /\{[{%#]/g;
const RAW = new RegExp(
  `\\{%([-+]?)[${SPACES}]*raw[${SPACES}]*(?:-%\\}[${SPACES}]*|%\\})`,
  "y",
);
const END_RAW = new RegExp(
  `\\{%([-+]?)[${SPACES}]*endraw[${SPACES}]*(?:\\+%\\}|-%\\}[${SPACES}]*|%\\}\\n?)`,
  "g",
);
const BLOCK_END = new RegExp(`\\+%\\}|-%\\}[${SPACES}]*|%\\}\\n?`, "y");
const VARIABLE_END = new RegExp(`-\\}\\}[${SPACES}]*|\\}\\}`, "y");
const COMMENT_END = new RegExp(`\\+#\\}|-#\\}[${SPACES}]*|#\\}\\n?`, "g");
const SPACE_RUN = new RegExp(`[${SPACES}]+`, "y");
const FLOAT =
  /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[-+]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER =
  /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{N}_]+/uy;
const STRING = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const IDENTIFIER = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;

/**
 * Splits a template into tokens. The last token is `eof`. As in Jinja, all line breaks become line feeds, and one at
 * the end of the template is dropped.
 * @throws {JinjaError} If the template contains an invalid token.
 */
export function tokenize(source: string): Token[] {
  const text = source.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  return new Lexer(text).tokens();
}

/** A lexer that tracks its position and line in the text. */
class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** Whether the last token ended a line, so that white space after it is indentation. */
  #lineStarting = true;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): Token[] {
    while (this.#at < this.#text.length) this.#outside();
    this.#push("eof", "");
    return this.#tokens;
  }

  /** Reads the text before the next tag, and then the tag. */
  #outside(): void {
    TAG.lastIndex = this.#at;
    const start = TAG.exec(this.#text)?.index;
    if (start === undefined) {
      this.#data(this.#text.slice(this.#at));
      this.#at = this.#text.length;
      return;
    }
    const before = this.#text.slice(this.#at, start);
    const kind = this.#text[start + 1];
    const raw = kind === "%" ? match(RAW, this.#text, start) : null;
    const sign = raw === null ? signAt(this.#text, start + 2) : raw[1]!;
    this.#data(before, sign, kind !== "{");
    this.#at = start;
    if (raw !== null) return this.#raw(raw[0]);
    this.#skip(2 + sign.length);
    if (kind === "#") this.#comment();
    else if (kind === "{") this.#tag("variable", VARIABLE_END);
    else this.#tag("block", BLOCK_END);
  }

  /**
   * Adds a token for the text before a tag, unless the text is empty. If the tag's sign is `-`, the white space at the
   * end of the text is removed. If the tag has no sign and `strips` is true, the tag's indentation is removed.
   */
  #data(text: string, sign = "+", strips = false): void {
    const data = sign === "-"
      ? trimEnd(text)
      : sign === "" && strips
      ? this.#withoutIndent(text)
      : text;
    if (data !== "") this.#push("data", data);
    this.#line += lines(text);
  }

  #withoutIndent(text: string): string {
    const from = text.lastIndexOf("\n") + 1;
    if (from === 0 && !this.#lineStarting) return text;
    return trimEnd(text.slice(from)) === "" ? text.slice(0, from) : text;
  }

  #raw(begin: string): void {
    this.#skip(begin.length);
    if (this.#at >= this.#text.length) return;
    END_RAW.lastIndex = this.#at;
    const end = END_RAW.exec(this.#text);
    if (end === null) {
      throw syntaxError("Missing end of raw directive", this.#line);
    }
    const [whole, sign] = end;
    this.#data(this.#text.slice(this.#at, end.index), sign, true);
    this.#at = end.index;
    this.#skip(whole.length);
  }

  #comment(): void {
    if (this.#at >= this.#text.length) return;
    COMMENT_END.lastIndex = this.#at;
    const end = COMMENT_END.exec(this.#text);
    if (end === null) {
      throw syntaxError("Missing end of comment tag", this.#line);
    }
    this.#skip(end.index + end[0].length - this.#at);
  }

  /** Reads the contents of a tag up to its end. Within brackets, the end of the tag is not recognized. */
  #tag(kind: "variable" | "block", end: RegExp): void {
    this.#push(`${kind}_begin`, "");
    const open: string[] = [];
    while (this.#at < this.#text.length) {
      const close = open.length === 0 ? match(end, this.#text, this.#at) : null;
      if (close !== null) {
        this.#push(`${kind}_end`, "");
        return this.#skip(close[0].length);
      }
      this.#inside(open);
    }
  }

  #inside(open: string[]): void {
    const at = (pattern: RegExp) => match(pattern, this.#text, this.#at)?.[0];
    const space = at(SPACE_RUN);
    if (space !== undefined) return this.#skip(space.length);
    const float = at(FLOAT);
    if (float !== undefined) {
      const double = Number(float.replaceAll("_", ""));
      const value = Number.isInteger(double) ? new Float(double) : double;
      return this.#take("float", float, { value });
    }
    const integer = at(INTEGER);
    if (integer !== undefined) {
      const value = normalInt(BigInt(integer.replaceAll("_", "")));
      return this.#take("integer", integer, { value });
    }
    const name = at(NAME);
    if (name !== undefined) {
      if (!IDENTIFIER.test(name)) {
        throw syntaxError("Invalid character in identifier", this.#line);
      }
      return this.#take("name", name);
    }
    const string = at(STRING);
    if (string !== undefined) {
      const text = unescapeString(string.slice(1, -1), this.#line);
      return this.#take("string", string, { text });
    }
    this.#operator(open);
  }

  #operator(open: string[]): void {
    const text = OPERATORS.find((one) => this.#text.startsWith(one, this.#at));
    if (text === undefined) {
      const [character] = this.#text.slice(this.#at);
      throw syntaxError(`unexpected char '${character}'`, this.#line);
    }
    if (text in CLOSING) open.push(CLOSING[text]!);
    if (")]}".includes(text)) {
      const expected = open.pop();
      if (expected !== text) {
        const but = expected === undefined ? "" : `, expected '${expected}'`;
        throw syntaxError(`unexpected '${text}'${but}`, this.#line);
      }
    }
    this.#take(text as Operator, text);
  }

  #take(
    type: TokenType,
    source: string,
    token: {
      readonly text?: string;
      readonly value?: number | bigint | Float;
    } = {},
  ): void {
    const { text = source, ...rest } = token;
    this.#tokens.push({ type, text, line: this.#line, ...rest });
    this.#skip(source.length);
  }

  #push(type: TokenType, text: string): void {
    this.#tokens.push({ type, text, line: this.#line });
  }

  #skip(length: number): void {
    const text = this.#text.slice(this.#at, this.#at + length);
    this.#line += lines(text);
    this.#lineStarting = text.endsWith("\n");
    this.#at += length;
  }
}

function match(pattern: RegExp, text: string, at: number) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function signAt(text: string, at: number): string {
  const character = text.charAt(at);
  return character === "-" || character === "+" ? character : "";
}

function lines(text: string): number {
  let count = 0;
  for (let at = -1; (at = text.indexOf("\n", at + 1)) >= 0;) count++;
  return count;
}

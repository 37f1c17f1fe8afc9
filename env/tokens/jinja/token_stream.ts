/** Implements a stream of tokens for the parsers. */

import { syntaxError } from "./template_error.ts";
import type { Token, TokenType } from "./lexer.ts";
import type { JinjaError } from "./template_error.ts";

/** Maximum nesting depth of expressions and blocks, close to Python's limit. */
const MAX_DEPTH = 180;

/** A cursor over a list of tokens. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  /**
   * Creates a stream.
   * @param tokens The tokens. The last one must be `eof`.
   */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The next token. */
  get current(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The token after the next token. */
  get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.current;
  }

  /** Consumes the next token and returns it. */
  next(): Token {
    const token = this.current;
    if (token.type !== "eof") this.#at++;
    return token;
  }

  /** Checks whether the next token has the given type and, if `text` is passed, the given text. */
  is(type: TokenType, text?: string): boolean {
    const token = this.current;
    return token.type === type && (text === undefined || token.text === text);
  }

  /** Checks whether the next token is one of the given names. */
  isName(...names: readonly string[]): boolean {
    return this.current.type === "name" && names.includes(this.current.text);
  }

  /** Consumes the next token if it matches. Returns whether it matched. */
  skip(type: TokenType, text?: string): boolean {
    if (!this.is(type, text)) return false;
    this.next();
    return true;
  }

  /**
   * Consumes the next token and returns it.
   * @throws {JinjaError} If the token's type or text does not match.
   */
  expect(type: TokenType, text?: string): Token {
    if (this.is(type, text)) return this.next();
    const wanted = describe(type, text);
    throw this.current.type === "eof"
      ? this.error(`unexpected end of template, expected '${wanted}'.`)
      : this.error(`expected token '${wanted}', got '${this.shown}'`);
  }

  /**
   * Runs a nested parser.
   * @throws {JinjaError} If the nesting is too deep.
   */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  /** A description of the next token for error messages. */
  get shown(): string {
    const { type, text } = this.current;
    return describe(type, type === "name" ? text : undefined);
  }

  /** Creates a syntax error, by default for the line of the next token. */
  error(message: string, line: number = this.current.line): JinjaError {
    return syntaxError(message, line);
  }
}

const DESCRIPTIONS: Partial<Record<TokenType, string>> = {
  data: "template data / text",
  variable_begin: "begin of print statement",
  variable_end: "end of print statement",
  block_begin: "begin of statement block",
  block_end: "end of statement block",
  eof: "end of template",
};

function describe(type: TokenType, text?: string): string {
  return text ?? DESCRIPTIONS[type] ?? type;
}

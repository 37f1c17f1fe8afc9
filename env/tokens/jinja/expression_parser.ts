/** Parses expressions with Jinja's operator precedence. */

import type {
  Arguments,
  CallExpression,
  Comparison,
  Expression,
  FilterExpression,
} from "./ast.ts";
import type { Token, TokenType } from "./lexer.ts";
import type { TokenStream } from "./token_stream.ts";

/**
 * A function that checks whether a tuple without parentheses ends before the next token. It need not check for the end
 * of the tag, which ends every tuple.
 */
export type TupleEnd = (tokens: TokenStream) => boolean;

const NO_ARGUMENTS: Arguments = {
  positional: [],
  keywords: [],
  rest: null,
  moreKeywords: null,
};

const COMPARISONS: ReadonlySet<string> = new Set(
  ["==", "!=", "<", "<=", ">", ">="],
);

/** The types of tokens that may begin the argument of a test without parentheses. */
const ARGUMENT_STARTS: ReadonlySet<TokenType> = new Set<TokenType>(
  ["name", "string", "integer", "float", "(", "[", "{"],
);

/** A parser for expressions. */
export class ExpressionParser {
  readonly #tokens: TokenStream;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  /**
   * Parses an expression.
   * @param conditional Whether the expression may be conditional (`a if b else c`). Default: true.
   */
  expression(conditional = true): Expression {
    return this.#tokens.nested(() =>
      conditional ? this.#conditional() : this.#or()
    );
  }

  /** Parses an expression, or several expressions separated by commas, which form a tuple. */
  tuple(
    { conditional = true, ends, parenthesized = false }: {
      readonly conditional?: boolean;
      readonly ends?: TupleEnd;
      /** Whether the tuple is in parentheses and may therefore be empty. Default: false. */
      readonly parenthesized?: boolean;
    } = {},
  ): Expression {
    const { line } = this.#tokens.current;
    const items: Expression[] = [];
    let isTuple = false;
    while (!this.#tupleEnds(ends)) {
      items.push(this.expression(conditional));
      if (!this.#tokens.skip(",")) break;
      isTuple = true;
    }
    const [first] = items;
    if (!isTuple && first !== undefined) return first;
    if (!isTuple && !parenthesized) {
      throw this.#tokens.error(
        `Expected an expression, got '${this.#tokens.shown}'`,
      );
    }
    return { type: "tuple", items, line };
  }

  #tupleEnds(ends: TupleEnd | undefined): boolean {
    const { type } = this.#tokens.current;
    return type === "variable_end" || type === "block_end" || type === ")" ||
      (ends?.(this.#tokens) ?? false);
  }

  #conditional(): Expression {
    let { line } = this.#tokens.current;
    let then = this.#or();
    while (this.#tokens.skip("name", "if")) {
      const test = this.#or();
      const otherwise = this.#tokens.skip("name", "else")
        ? this.#tokens.nested(() => this.#conditional())
        : null;
      then = { type: "conditional", test, then, otherwise, line };
      ({ line } = this.#tokens.current);
    }
    return then;
  }

  #or(): Expression {
    const { line } = this.#tokens.current;
    let left = this.#and();
    while (this.#tokens.skip("name", "or")) {
      left = { type: "or", left, right: this.#and(), line };
    }
    return left;
  }

  #and(): Expression {
    const { line } = this.#tokens.current;
    let left = this.#not();
    while (this.#tokens.skip("name", "and")) {
      left = { type: "and", left, right: this.#not(), line };
    }
    return left;
  }

  #not(): Expression {
    const { line } = this.#tokens.current;
    if (!this.#tokens.skip("name", "not")) return this.#compare();
    const operand = this.#tokens.nested(() => this.#not());
    return { type: "not", operand, line };
  }

  #compare(): Expression {
    const { line } = this.#tokens.current;
    const first = this.#sum();
    const rest: [Comparison, Expression][] = [];
    for (
      let operator;
      (operator = this.#comparison()) !== null;
    ) rest.push([operator, this.#sum()]);
    return rest.length === 0 ? first : { type: "compare", first, rest, line };
  }

  #comparison(): Comparison | null {
    const tokens = this.#tokens;
    if (COMPARISONS.has(tokens.current.type)) {
      return tokens.next().type as Comparison;
    }
    if (tokens.skip("name", "in")) return "in";
    const { type, text } = tokens.following;
    if (!tokens.isName("not") || type !== "name" || text !== "in") return null;
    tokens.next();
    tokens.next();
    return "not in";
  }

  #sum(): Expression {
    const { line } = this.#tokens.current;
    let left = this.#concat();
    for (let operator; (operator = this.#operator("+", "-")) !== null;) {
      left = {
        type: "arithmetic",
        operator,
        left,
        right: this.#concat(),
        line,
      };
    }
    return left;
  }

  #concat(): Expression {
    const { line } = this.#tokens.current;
    const parts = [this.#product()];
    while (this.#tokens.skip("~")) parts.push(this.#product());
    return parts.length === 1 ? parts[0]! : { type: "concat", parts, line };
  }

  #product(): Expression {
    const { line } = this.#tokens.current;
    let left = this.#power();
    for (
      let operator;
      (operator = this.#operator("*", "/", "//", "%")) !== null;
    ) {
      left = { type: "arithmetic", operator, left, right: this.#power(), line };
    }
    return left;
  }

  #power(): Expression {
    const { line } = this.#tokens.current;
    let left = this.#unary();
    while (this.#tokens.skip("**")) {
      const right = this.#unary();
      left = { type: "arithmetic", operator: "**", left, right, line };
    }
    return left;
  }

  #operator<T extends TokenType>(...operators: readonly T[]): T | null {
    const found = operators.find((one) => one === this.#tokens.current.type);
    if (found === undefined) return null;
    this.#tokens.next();
    return found;
  }

  /** Parses a value with its sign and postfix operators. Filters apply to the signed value. */
  #unary(filtered = true): Expression {
    const { type, line } = this.#tokens.current;
    let node: Expression;
    if (type === "-" || type === "+") {
      this.#tokens.next();
      const operand = this.#tokens.nested(() => this.#unary(false));
      node = { type: "sign", sign: type, operand, line };
    } else {
      node = this.#primary();
    }
    node = this.#postfix(node);
    return filtered ? this.#filtersAndTests(node) : node;
  }

  #primary(): Expression {
    const token = this.#tokens.next();
    const { type, text, value, line } = token;
    switch (type) {
      case "name":
        return nameOrConstant(token);
      case "string": {
        let all = text;
        while (this.#tokens.is("string")) all += this.#tokens.next().text;
        return { type: "constant", value: all, line };
      }
      case "integer":
      case "float":
        return { type: "constant", value: value!, line };
      case "(": {
        const inside = this.#tokens.nested(() =>
          this.tuple({ parenthesized: true })
        );
        this.#tokens.expect(")");
        return inside;
      }
      case "[":
        return { type: "list", items: this.#listed("]"), line };
      case "{":
        return { type: "dict", entries: this.#entries(), line };
    }
    throw this.#tokens.error(
      `unexpected '${type === "eof" ? "end of template" : text || type}'`,
      line,
    );
  }

  #listed(close: "]"): Expression[] {
    const items: Expression[] = [];
    while (!this.#tokens.is(close)) {
      if (items.length > 0) this.#tokens.expect(",");
      if (this.#tokens.is(close)) break;
      items.push(this.expression());
    }
    this.#tokens.expect(close);
    return items;
  }

  #entries(): [Expression, Expression][] {
    const entries: [Expression, Expression][] = [];
    while (!this.#tokens.is("}")) {
      if (entries.length > 0) this.#tokens.expect(",");
      if (this.#tokens.is("}")) break;
      const key = this.expression();
      this.#tokens.expect(":");
      entries.push([key, this.expression()]);
    }
    this.#tokens.expect("}");
    return entries;
  }

  /** Parses attributes, subscripts and calls after an expression. */
  #postfix(node: Expression): Expression {
    while (true) {
      if (this.#tokens.is(".")) node = this.#attribute(node);
      else if (this.#tokens.is("[")) node = this.#subscript(node);
      else if (this.#tokens.is("(")) node = this.#call(node);
      else return node;
    }
  }

  #attribute(object: Expression): Expression {
    const { line } = this.#tokens.next();
    const { type, text, value } = this.#tokens.next();
    if (type === "name") return { type: "attribute", object, name: text, line };
    if (type !== "integer") {
      throw this.#tokens.error("expected name or number", line);
    }
    const key: Expression = { type: "constant", value: value!, line };
    return { type: "item", object, key, line };
  }

  #subscript(object: Expression): Expression {
    const { line } = this.#tokens.expect("[");
    const keys: Expression[] = [];
    while (!this.#tokens.is("]")) {
      if (keys.length > 0) this.#tokens.expect(",");
      const bounds = this.#bounds();
      if (bounds.length === 1) {
        keys.push(bounds[0]!);
      } else if (keys.length === 0 && this.#tokens.skip("]")) {
        return { type: "slice", object, bounds, line };
      } else {
        throw this.#tokens.error("a slice cannot be part of a tuple", line);
      }
    }
    this.#tokens.expect("]");
    const [first] = keys;
    const key: Expression = keys.length === 1
      ? first!
      : { type: "tuple", items: keys, line };
    return { type: "item", object, key, line };
  }

  /** Parses one element of a subscript. Returns a list of one key, or the three bounds of a slice. */
  #bounds(): (Expression | null)[] {
    const tokens = this.#tokens;
    const start = tokens.is(":") ? null : this.expression();
    if (!tokens.is(":")) return [start];
    const bounds = [start];
    while (bounds.length < 3) {
      const given = tokens.skip(":") && !tokens.is(":") && !tokens.is("]") &&
        !tokens.is(",");
      bounds.push(given ? this.expression() : null);
    }
    return bounds;
  }

  #filtersAndTests(node: Expression): Expression {
    while (true) {
      if (this.#tokens.is("|")) node = this.filters(node)!;
      else if (this.#tokens.is("name", "is")) node = this.#test(node);
      // Filters and tests may be followed by calls.
      else if (this.#tokens.is("(")) node = this.#call(node);
      else return node;
    }
  }

  #call(callee: Expression): CallExpression {
    const { line } = this.#tokens.current;
    return { type: "call", callee, args: this.#arguments(), line };
  }

  /** Parses any number of filters, `|name(...)`. Returns `null` if there is none. */
  filters(input: Expression | null): FilterExpression | null {
    let node: FilterExpression | null = null;
    while (this.#tokens.skip("|")) node = this.filter(node ?? input);
    return node;
  }

  /** Parses one filter, `name(...)`, after its `|`. */
  filter(input: Expression | null): FilterExpression {
    const { line } = this.#tokens.current;
    const name = this.#dottedName();
    const args = this.#tokens.is("(") ? this.#arguments() : NO_ARGUMENTS;
    return { type: "filter", input, name, args, line };
  }

  #dottedName(): string {
    let name = this.#tokens.expect("name").text;
    while (this.#tokens.skip(".")) {
      name += `.${this.#tokens.expect("name").text}`;
    }
    return name;
  }

  #test(input: Expression): Expression {
    const { line } = this.#tokens.next();
    const negated = this.#tokens.skip("name", "not");
    const name = this.#dottedName();
    const args = this.#testArguments();
    const test: Expression = { type: "test", input, name, args, line };
    return negated ? { type: "not", operand: test, line } : test;
  }

  #testArguments(): Arguments {
    if (this.#tokens.is("(")) return this.#arguments();
    const { type } = this.#tokens.current;
    if (
      !ARGUMENT_STARTS.has(type) || this.#tokens.isName("else", "or", "and")
    ) return NO_ARGUMENTS;
    if (this.#tokens.isName("is")) {
      throw this.#tokens.error("You cannot chain multiple tests with is");
    }
    const argument = this.#tokens.nested(() => this.#postfix(this.#primary()));
    return { ...NO_ARGUMENTS, positional: [argument] };
  }

  #arguments(): Arguments {
    const tokens = this.#tokens;
    const { line } = tokens.expect("(");
    const positional: Expression[] = [];
    const keywords: [string, Expression][] = [];
    let rest: Expression | null = null;
    let moreKeywords: Expression | null = null;
    const ensure = (valid: boolean) => {
      if (valid) return;
      throw tokens.error("invalid syntax for function call expression", line);
    };
    for (let first = true; !tokens.is(")"); first = false) {
      if (!first) tokens.expect(",");
      if (!first && tokens.is(")")) break;
      if (tokens.skip("*")) {
        ensure(rest === null && moreKeywords === null);
        rest = this.expression();
      } else if (tokens.skip("**")) {
        ensure(moreKeywords === null);
        moreKeywords = this.expression();
      } else if (tokens.is("name") && tokens.following.type === "=") {
        ensure(moreKeywords === null);
        const name = tokens.next().text;
        tokens.next();
        keywords.push([name, this.expression()]);
      } else {
        ensure(rest === null && moreKeywords === null && keywords.length === 0);
        positional.push(this.expression());
      }
    }
    tokens.expect(")");
    return { positional, keywords, rest, moreKeywords };
  }
}

function nameOrConstant({ text, line }: Token): Expression {
  switch (text) {
    case "true":
    case "True":
      return { type: "constant", value: true, line };
    case "false":
    case "False":
      return { type: "constant", value: false, line };
    case "none":
    case "None":
      return { type: "constant", value: null, line };
  }
  return { type: "name", name: text, line };
}

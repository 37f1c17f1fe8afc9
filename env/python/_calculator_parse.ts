/**
 * Parses the syntax of `calculate`: the subset of Python's expressions that consists of digits, `+ - * / ( ) .` and
 * spaces. The syntax includes calls and `()`. They cannot succeed, but Python first reports any division by zero inside
 * them.
 */

import { ToolError } from "../errors.ts";
import { toFloat } from "./python_number.ts";
import { normalInt, type PythonNumber } from "./python_value.ts";

/** A binary operator. */
export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "**";

/** A syntax tree. A node of type `other` is `()` or `...`. A call evaluates its parts and then fails. */
export type Expression = Node & {
  /**
   * The number of nodes on the longest path down from this node. It is limited, so that functions over the tree can be
   * recursive.
   */
  readonly depth: number;
};

type Node =
  | { readonly type: "number"; readonly value: PythonNumber }
  | { readonly type: "other" }
  | {
    readonly type: "unary";
    readonly operator: "+" | "-";
    readonly operand: Expression;
  }
  | {
    readonly type: "binary";
    readonly operator: BinaryOperator;
    readonly left: Expression;
    readonly right: Expression;
  }
  | { readonly type: "call"; readonly parts: readonly Expression[] };

/** CPython 3.11's limit on nested parentheses. */
const MAX_PARENTHESES = 200;
/** CPython 3.11's approximate limit on the depth of a syntax tree. */
const MAX_DEPTH = 2900;
/** CPython 3.11's limit on the number of digits in an int. */
const MAX_DIGITS = 4300;

const TOKEN = / *(\d+\.\d*|\.\d+|\d+|\.\.\.|\*\*|\/\/|[-+*\/()])/y;

/**
 * Parses an expression.
 * @throws {ToolError} If the syntax is invalid, or the expression exceeds one of CPython's limits.
 */
export function parseExpression(text: string): Expression {
  return new Parser(tokenize(text)).expression();
}

function tokenize(text: string): string[] {
  const trimmed = text.trimEnd();
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const token = TOKEN.exec(trimmed)?.[1];
    if (token === undefined) throw invalidSyntax();
    tokens.push(token);
  }
  return tokens;
}

/** A recursive descent parser; each method parses one rule of Python's grammar. */
class Parser {
  readonly #tokens: readonly string[];
  #at = 0;
  #parentheses = 0;
  #depth = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  expression(): Expression {
    const expression = this.#sum();
    if (this.#at < this.#tokens.length) throw invalidSyntax();
    return expression;
  }

  #sum(): Expression {
    let left = this.#product();
    for (let operator; (operator = this.#take("+", "-"));) {
      left = binary(operator, left, this.#product());
    }
    return left;
  }

  #product(): Expression {
    let left = this.#factor();
    for (let operator; (operator = this.#take("*", "/", "//"));) {
      left = binary(operator, left, this.#factor());
    }
    return left;
  }

  #factor(): Expression {
    const operator = this.#take("+", "-");
    if (operator === undefined) return this.#power();
    checkDepth(++this.#depth);
    const operand = this.#factor();
    this.#depth--;
    return over({ type: "unary", operator, operand }, [operand]);
  }

  #power(): Expression {
    const left = this.#primary();
    const operator = this.#take("**");
    if (operator === undefined) return left;
    checkDepth(++this.#depth);
    const right = this.#factor();
    this.#depth--;
    return binary(operator, left, right);
  }

  /** Parses an atom and any calls that follow it: `2(3)`. */
  #primary(): Expression {
    let expression = this.#atom();
    while (this.#take("(")) {
      // Stars unpack an argument.
      if (this.#peek() !== ")") this.#take("*", "**");
      const parts = [expression, ...this.#inside()];
      expression = over({ type: "call", parts }, parts);
    }
    return expression;
  }

  #atom(): Expression {
    const token = this.#tokens[this.#at++];
    if (token === "(") {
      const [expression] = this.#inside();
      return expression ?? over({ type: "other" }, []);
    }
    if (token === "...") return over({ type: "other" }, []);
    if (token === undefined || !/\d/.test(token)) throw invalidSyntax();
    return over({ type: "number", value: readNumber(token) }, []);
  }

  /** Parses the optional expression within parentheses and the closing parenthesis. */
  #inside(): Expression[] {
    if (++this.#parentheses > MAX_PARENTHESES) {
      throw new ToolError("too many nested parentheses");
    }
    const inside = this.#peek() === ")" ? [] : [this.#sum()];
    if (this.#take(")") === undefined) throw invalidSyntax();
    this.#parentheses--;
    return inside;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take<T extends string>(...wanted: readonly T[]): T | undefined {
    const found = wanted.find((token) => token === this.#peek());
    if (found !== undefined) this.#at++;
    return found;
  }
}

function binary(
  operator: BinaryOperator,
  left: Expression,
  right: Expression,
): Expression {
  return over({ type: "binary", operator, left, right }, [left, right]);
}

/**
 * Adds the depth to a node.
 * @param parts The children of the node.
 * @throws {ToolError} If the tree is too deep.
 */
function over(node: Node, parts: readonly Expression[]): Expression {
  const depth = 1 + Math.max(0, ...parts.map((part) => part.depth));
  checkDepth(depth);
  return { ...node, depth };
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new ToolError("the expression is too long");
}

function readNumber(token: string): PythonNumber {
  if (token.includes(".")) return toFloat(Number(token));
  if (/^0+[1-9]/.test(token)) {
    throw new ToolError(
      "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers (<string>, line 1)",
    );
  }
  if (token.length > MAX_DIGITS) {
    throw new ToolError(`an integer has more than ${MAX_DIGITS} digits`);
  }
  return normalInt(BigInt(token));
}

function invalidSyntax(): ToolError {
  return new ToolError("invalid syntax (<string>, line 1)");
}

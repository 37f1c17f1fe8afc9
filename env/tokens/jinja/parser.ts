/** Parses the statements of a template. */

import type {
  BlockStatement,
  CallStatement,
  Expression,
  ForStatement,
  IfStatement,
  MacroStatement,
  Parameter,
  Statement,
  Target,
  WithStatement,
} from "./ast.ts";
import { ExpressionParser, type TupleEnd } from "./expression_parser.ts";
import { tokenize } from "./lexer.ts";
import { TokenStream } from "./token_stream.ts";

/**
 * Parses a template.
 * @throws {JinjaError} If the syntax is invalid. The error contains the line.
 */
export function parseTemplate(source: string): readonly Statement[] {
  return new Parser(new TokenStream(tokenize(source))).template();
}

/** Names of constants, which cannot be assigned to. */
const CONSTANTS: ReadonlySet<string> = new Set(
  "true false none True False None".split(" "),
);

class Parser {
  readonly #tokens: TokenStream;
  readonly #expressions: ExpressionParser;
  /** The names of the open tags, innermost last. */
  readonly #open: string[] = [];

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
    this.#expressions = new ExpressionParser(tokens);
  }

  template(): readonly Statement[] {
    return this.#statements([]);
  }

  /**
   * Parses statements up to one of the given end tags, whose name becomes the next token. If no end tags are given,
   * parses to the end of the template.
   */
  #statements(ends: readonly string[]): Statement[] {
    const tokens = this.#tokens;
    const statements: Statement[] = [];
    let parts: (string | Expression)[] = [];
    let { line } = tokens.current;
    const flush = () => {
      if (parts.length > 0) statements.push({ type: "output", parts, line });
      parts = [];
    };
    while (!tokens.is("eof")) {
      if (parts.length === 0) ({ line } = tokens.current);
      if (tokens.is("data")) {
        parts.push(tokens.next().text);
      } else if (tokens.skip("variable_begin")) {
        // Each expression becomes a separate statement, so that errors have its line.
        flush();
        ({ line } = tokens.current);
        parts.push(this.#expressions.tuple());
        tokens.expect("variable_end");
        flush();
      } else {
        tokens.expect("block_begin");
        flush();
        if (tokens.isName(...ends)) return statements;
        statements.push(tokens.nested(() => this.#statement()));
        tokens.expect("block_end");
      }
    }
    flush();
    if (ends.length > 0) throw this.#unfinished(ends);
    return statements;
  }

  #unfinished(ends: readonly string[]) {
    const wanted = ends.map((end) => `'${end}'`).join(" or ");
    return this.#tokens.error(
      `Unexpected end of template. Jinja was looking for the following tags: ${wanted}. The innermost block that needs to be closed is '${
        this.#open.at(-1)
      }'.`,
    );
  }

  /**
   * Parses the statements of a block up to its end tag, or up to a tag that begins the next part of the block, such as
   * `else`.
   */
  #body(...ends: readonly string[]): Statement[] {
    this.#tokens.skip(":");
    this.#tokens.expect("block_end");
    return this.#statements(ends);
  }

  /** Parses the statements of a block, and skips the name of its end tag. */
  #closedBody(end: string): Statement[] {
    const body = this.#body(end);
    this.#tokens.next();
    return body;
  }

  #statement(): Statement {
    const { type, text, line } = this.#tokens.current;
    if (type !== "name") throw this.#tokens.error("tag name expected", line);
    this.#open.push(text);
    const statement = this.#tag(text, line);
    this.#open.pop();
    return statement;
  }

  #tag(tag: string, line: number): Statement {
    switch (tag) {
      case "for":
        return this.#for();
      case "if":
        return this.#if();
      case "set":
        return this.#set();
      case "macro":
        return this.#macro();
      case "call":
        return this.#call();
      case "filter":
        return this.#filter();
      case "with":
        return this.#with();
      case "block":
        return this.#block();
      case "print":
        return this.#print();
      case "autoescape":
        return this.#autoescape();
      case "generation": {
        this.#tokens.next();
        const body = this.#closedBody("endgeneration");
        return { type: "call_block", call: null, parameters: [], body, line };
      }
      case "break":
      case "continue":
        this.#tokens.next();
        return { type: tag, line };
      case "extends":
      case "include":
      case "import":
      case "from":
        return this.#load();
    }
    throw this.#tokens.error(`Encountered unknown tag '${tag}'.`, line);
  }

  #for(): ForStatement {
    const tokens = this.#tokens;
    const { line } = tokens.next();
    const target = this.#target({ ends: (tokens) => tokens.isName("in") });
    tokens.expect("name", "in");
    const items = this.#expressions.tuple({
      conditional: false,
      ends: (tokens) => tokens.isName("recursive"),
    });
    const test = tokens.skip("name", "if")
      ? this.#expressions.expression()
      : null;
    const recursive = tokens.skip("name", "recursive");
    const body = this.#body("endfor", "else");
    const otherwise = tokens.next().text === "else"
      ? this.#closedBody("endfor")
      : [];
    return {
      type: "for",
      target,
      items,
      test,
      recursive,
      body,
      otherwise,
      line,
    };
  }

  #if(): IfStatement {
    const tokens = this.#tokens;
    const { line } = tokens.next();
    const branches: [Expression, Statement[]][] = [];
    while (true) {
      const test = this.#expressions.tuple({ conditional: false });
      branches.push([test, this.#body("elif", "else", "endif")]);
      const end = tokens.next().text;
      if (end === "elif") continue;
      const otherwise = end === "else" ? this.#closedBody("endif") : [];
      return { type: "if", branches, otherwise, line };
    }
  }

  #set(): Statement {
    const { line } = this.#tokens.next();
    const target = this.#target({ members: true });
    if (this.#tokens.skip("=")) {
      return { type: "set", target, value: this.#expressions.tuple(), line };
    }
    const filter = this.#expressions.filters(null);
    const body = this.#closedBody("endset");
    return { type: "set_block", target, filter, body, line };
  }

  #macro(): MacroStatement {
    const { line } = this.#tokens.next();
    const name = this.#name();
    const parameters = this.#parameters();
    return {
      type: "macro",
      name,
      parameters,
      body: this.#closedBody("endmacro"),
      line,
    };
  }

  #call(): CallStatement {
    const { line } = this.#tokens.next();
    const parameters = this.#tokens.is("(") ? this.#parameters() : [];
    const call = this.#expressions.expression();
    if (call.type !== "call") throw this.#tokens.error("expected call", line);
    const body = this.#closedBody("endcall");
    return { type: "call_block", call, parameters, body, line };
  }

  #parameters(): Parameter[] {
    const tokens = this.#tokens;
    const parameters: Parameter[] = [];
    tokens.expect("(");
    while (!tokens.is(")")) {
      if (parameters.length > 0) tokens.expect(",");
      const name = this.#name();
      const otherwise = tokens.skip("=")
        ? this.#expressions.expression()
        : null;
      if (otherwise === null && parameters.at(-1)?.otherwise) {
        throw tokens.error("non-default argument follows default argument");
      }
      parameters.push({ name, otherwise });
    }
    tokens.expect(")");
    return parameters;
  }

  #filter(): Statement {
    const { line } = this.#tokens.next();
    const first = this.#expressions.filter(null);
    const filter = this.#expressions.filters(first) ?? first;
    const body = this.#closedBody("endfilter");
    return { type: "filter_block", filter, body, line };
  }

  #with(): WithStatement {
    const { line } = this.#tokens.next();
    const assignments: [Target, Expression][] = [];
    while (!this.#tokens.is("block_end")) {
      if (assignments.length > 0) this.#tokens.expect(",");
      const target = this.#target({});
      this.#tokens.expect("=");
      assignments.push([target, this.#expressions.expression()]);
    }
    return {
      type: "with",
      assignments,
      body: this.#closedBody("endwith"),
      line,
    };
  }

  #block(): BlockStatement {
    const { line } = this.#tokens.next();
    const name = this.#tokens.expect("name").text;
    const scoped = this.#tokens.skip("name", "scoped");
    this.#tokens.skip("name", "required");
    const body = this.#closedBody("endblock");
    this.#tokens.skip("name", name);
    return { type: "block", name, scoped, body, line };
  }

  #print(): Statement {
    const { line } = this.#tokens.next();
    const parts: Expression[] = [];
    while (!this.#tokens.is("block_end")) {
      if (parts.length > 0) this.#tokens.expect(",");
      parts.push(this.#expressions.expression());
    }
    return { type: "output", parts, line };
  }

  /** Parses an `autoescape` block, whose value must be false. */
  #autoescape(): Statement {
    const { line } = this.#tokens.next();
    const value = this.#expressions.expression();
    if (value.type !== "constant" || value.value !== false) {
      throw this.#tokens.error("autoescape can only be false", line);
    }
    return { type: "scope", body: this.#closedBody("endautoescape"), line };
  }

  #load(): Statement {
    const { text: tag, line } = this.#tokens.next();
    while (!this.#tokens.is("block_end") && !this.#tokens.is("eof")) {
      this.#tokens.next();
    }
    return { type: "load", tag, line };
  }

  #name(): string {
    const { text } = this.#tokens.expect("name");
    this.#checkAssignable(text);
    return text;
  }

  /** Parses the target of an assignment: one or more names or, if `members` is true, `namespace.name`. */
  #target(
    { members = false, ends }: {
      readonly members?: boolean;
      readonly ends?: TupleEnd;
    },
  ): Target {
    const { line } = this.#tokens.current;
    const items: Target[] = [];
    let several = false;
    while (!this.#targetEnds(ends)) {
      items.push(this.#primaryTarget(members));
      if (!this.#tokens.skip(",")) break;
      several = true;
    }
    const [first] = items;
    if (!several && first !== undefined) return first;
    if (first === undefined) {
      throw this.#tokens.error(
        `Expected an expression, got '${this.#tokens.shown}'`,
      );
    }
    return { type: "targets", items, line };
  }

  #targetEnds(ends: TupleEnd | undefined): boolean {
    const { type } = this.#tokens.current;
    return type === "variable_end" || type === "block_end" || type === ")" ||
      (ends?.(this.#tokens) ?? false);
  }

  #primaryTarget(members: boolean): Target {
    const tokens = this.#tokens;
    if (tokens.skip("(")) {
      const inside = tokens.nested(() => this.#target({ members }));
      tokens.expect(")");
      return inside;
    }
    const { text: name, line } = tokens.expect("name");
    if (members && tokens.skip(".")) {
      return {
        type: "member",
        name,
        attribute: tokens.expect("name").text,
        line,
      };
    }
    this.#checkAssignable(name);
    return { type: "name", name, line };
  }

  #checkAssignable(name: string): void {
    if (CONSTANTS.has(name)) {
      throw this.#tokens.error(`can't assign to '${name}'`);
    }
  }
}

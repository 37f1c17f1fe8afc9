/** Defines the types of the nodes in a template's syntax tree. */

import type { Value } from "./values.ts";

/** The position of a node in the source. */
interface Place {
  readonly line: number;
}

/** A comparison operator. */
export type Comparison =
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "in"
  | "not in";

/** The arguments of a call. */
export interface Arguments {
  readonly positional: readonly Expression[];
  readonly keywords: readonly (readonly [string, Expression])[];
  /** The expression after `*`. */
  readonly rest: Expression | null;
  /** The expression after `**`. */
  readonly moreKeywords: Expression | null;
}

/** A reference to a variable. */
export type NameExpression = Place & {
  readonly type: "name";
  readonly name: string;
};

/** A call of a function, a method or a macro. */
export type CallExpression = Place & {
  readonly type: "call";
  readonly callee: Expression;
  readonly args: Arguments;
};

/** The application of a filter. If there is no input, the filter is applied to the output of a block. */
export type FilterExpression = Place & {
  readonly type: "filter";
  readonly input: Expression | null;
  readonly name: string;
  readonly args: Arguments;
};

/** An expression. Its `type` determines the other fields. */
export type Expression =
  | Place & { readonly type: "constant"; readonly value: Value }
  | NameExpression
  | Place & {
    readonly type: "tuple" | "list";
    readonly items: readonly Expression[];
  }
  | Place & {
    readonly type: "dict";
    readonly entries: readonly (readonly [Expression, Expression])[];
  }
  | Place & {
    readonly type: "attribute";
    readonly object: Expression;
    readonly name: string;
  }
  | Place & {
    readonly type: "item";
    readonly object: Expression;
    readonly key: Expression;
  }
  | Place & {
    readonly type: "slice";
    readonly object: Expression;
    /** The start, stop and step. An omitted bound is `null`. */
    readonly bounds: readonly (Expression | null)[];
  }
  | CallExpression
  | FilterExpression
  | Place & {
    readonly type: "test";
    readonly input: Expression;
    readonly name: string;
    readonly args: Arguments;
  }
  | Place & { readonly type: "not"; readonly operand: Expression }
  | Place & {
    readonly type: "sign";
    readonly sign: "+" | "-";
    readonly operand: Expression;
  }
  | Place & {
    readonly type: "arithmetic";
    readonly operator: "+" | "-" | "*" | "/" | "//" | "%" | "**";
    readonly left: Expression;
    readonly right: Expression;
  }
  | Place & {
    readonly type: "and" | "or";
    readonly left: Expression;
    readonly right: Expression;
  }
  | Place & { readonly type: "concat"; readonly parts: readonly Expression[] }
  | Place & {
    readonly type: "compare";
    readonly first: Expression;
    readonly rest: readonly (readonly [Comparison, Expression])[];
  }
  | Place & {
    readonly type: "conditional";
    readonly test: Expression;
    readonly then: Expression;
    readonly otherwise: Expression | null;
  };

/** The target of an assignment. */
export type Target =
  | Place & { readonly type: "name"; readonly name: string }
  | Place & { readonly type: "targets"; readonly items: readonly Target[] }
  | Place & {
    readonly type: "member";
    readonly name: string;
    readonly attribute: string;
  };

/** A parameter of a macro or a call block. */
export interface Parameter {
  readonly name: string;
  readonly otherwise: Expression | null;
}

/** A `for` statement. */
export type ForStatement = Place & {
  readonly type: "for";
  readonly target: Target;
  readonly items: Expression;
  readonly test: Expression | null;
  readonly recursive: boolean;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
};

/** An `if` statement with its `elif` branches. */
export type IfStatement = Place & {
  readonly type: "if";
  readonly branches: readonly (readonly [Expression, readonly Statement[]])[];
  readonly otherwise: readonly Statement[];
};

/** A `macro` statement. */
export type MacroStatement = Place & {
  readonly type: "macro";
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
};

/** A `call` block, or a `generation` block, for which `call` is `null`. */
export type CallStatement = Place & {
  readonly type: "call_block";
  readonly call: CallExpression | null;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
};

/** A `with` statement. */
export type WithStatement = Place & {
  readonly type: "with";
  readonly assignments: readonly (readonly [Target, Expression])[];
  readonly body: readonly Statement[];
};

/** A `block` statement. */
export type BlockStatement = Place & {
  readonly type: "block";
  readonly name: string;
  readonly scoped: boolean;
  readonly body: readonly Statement[];
};

/** A statement. Its `type` determines the other fields. */
export type Statement =
  | Place & {
    readonly type: "output";
    readonly parts: readonly (string | Expression)[];
  }
  | ForStatement
  | IfStatement
  | MacroStatement
  | CallStatement
  | WithStatement
  | BlockStatement
  | Place & {
    readonly type: "filter_block";
    readonly filter: FilterExpression;
    readonly body: readonly Statement[];
  }
  | Place & {
    readonly type: "set";
    readonly target: Target;
    readonly value: Expression;
  }
  | Place & {
    readonly type: "set_block";
    readonly target: Target;
    readonly filter: FilterExpression | null;
    readonly body: readonly Statement[];
  }
  /** A block with its own scope, as created by `autoescape false`. */
  | Place & { readonly type: "scope"; readonly body: readonly Statement[] }
  | Place & { readonly type: "break" | "continue" }
  /** A tag that loads another template, such as `include`. Rendering it is not supported. */
  | Place & { readonly type: "load"; readonly tag: string };

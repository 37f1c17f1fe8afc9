/**
 * Chat templates as jinja2 3.1.6 renders them in the sandbox of Hugging Face's transformers, in time and memory that
 * are bounded whatever the template does. See README.md for what is left out.
 */

import { ToolError } from "../../errors.ts";
import { compileStatements } from "./compile_statement.ts";
import { JinjaError, limitError, typeError } from "./template_error.ts";
import { entrance, Frame } from "./frame.ts";
import { GLOBALS } from "./globals.ts";
import { LIMITS, type Limits, Machine } from "./machine.ts";
import type { Statement } from "./ast.ts";
import { parseTemplate } from "./parser.ts";
import {
  analyzeStatements,
  FunctionLayout,
  Scope,
  undeclared,
} from "./scope.ts";
import { PyObject, type Value } from "./values.ts";

/** Settings of {@linkcode JinjaTemplate.render}. */
export interface JinjaRenderOptions {
  /** What `strftime_now` shows. Default: the time of the call. */
  readonly now?: Date | undefined;
  /** What the rendering may spend. Default: enough for a conversation of a million tokens. */
  readonly limits?: Partial<Limits>;
}

/** A template, read and compiled once. */
export class JinjaTemplate {
  readonly #render: (machine: Machine) => void;

  /** @throws {JinjaError} If the source is no template, with the line. */
  constructor(source: string) {
    this.#render = guarded(() => compile(parseTemplate(source)));
  }

  /**
   * Renders the template.
   * @param variables By their names; dicts are `Map`s, whose keys keep their order.
   * @throws {JinjaError} If Python would raise an error, or the limits are exceeded, with the line.
   */
  render(
    variables: ReadonlyMap<string, Value>,
    { now = new Date(), limits }: JinjaRenderOptions = {},
  ): string {
    const machine = new Machine({
      context: variables,
      globals: GLOBALS,
      now,
      limits: { ...LIMITS, ...limits },
    });
    return guarded(() => {
      this.#render(machine);
      return machine.out;
    }, machine);
  }
}

function compile(statements: readonly Statement[]): (machine: Machine) => void {
  const layout = new FunctionLayout(null);
  const scope = new Scope(null, layout);
  // Jinja's reference to the template: its blocks, which nothing here calls by name.
  const self = undeclared(statements, ["self"]).size > 0
    ? scope.declareParameter("self").slot
    : null;
  analyzeStatements(statements, scope);
  const run = compileStatements(statements, {
    scope,
    soft: false,
    inLoop: false,
    exports: true,
    blocks: new Set(),
  });
  const enter = entrance(scope);
  return (machine) => {
    const frame = new Frame(layout, { parent: null, machine });
    if (self !== null) frame.slots[self] = new TemplateReference();
    enter?.(frame);
    run(frame);
  };
}

class TemplateReference extends PyObject {
  override readonly typeName = "TemplateReference";

  override repr(): string {
    return "<TemplateReference None>";
  }
}

/** Errors of the engine and of what it is built on, as errors with a line. */
function guarded<T>(run: () => T, machine?: Machine): T {
  try {
    return run();
  } catch (error) {
    const known = asJinjaError(error);
    if (known.line === 0 && machine !== undefined) known.line = machine.line;
    throw known;
  }
}

function asJinjaError(error: unknown): JinjaError {
  if (error instanceof JinjaError) return error;
  if (error instanceof ToolError) return typeError(error.message);
  if (error instanceof RangeError) {
    // The engine's own: its call stack, or the length of a string.
    return limitError(/stack/.test(error.message) ? "nesting" : "size");
  }
  throw error;
}

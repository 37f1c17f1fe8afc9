/** HTML whose every value is escaped: what models, users and tools write is shown as text, never run. */

/** Markup that may be put into other markup as it is. Made by {@linkcode html} alone. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** Joins literal markup and values; texts are escaped, `Html` and lists of it are not, `null` is nothing. */
  static join(literals: readonly string[], values: readonly Value[]): Html {
    const parts = literals.map((literal, i) =>
      i < values.length ? literal + markupOf(values[i]) : literal
    );
    return new Html(parts.join(""));
  }

  /** The SVG of a drawing library, which escapes texts itself. */
  static fromDrawing(svg: string): Html {
    return new Html(svg);
  }

  toString(): string {
    return this.#markup;
  }
}

/** What may stand in markup. */
export type Value = string | number | null | undefined | Html | readonly Html[];

/**
 * Markup with values in it. What stands in lines of its own for a formatter's sake is taken as if it did not.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { html } from "./html.ts";
 * const said = "<script>alert(1)</script>";
 * assert.ok(!String(html`<b>${said}</b>`).includes("<script>"));
 * ```
 */
export function html(
  literals: TemplateStringsArray,
  ...values: readonly Value[]
): Html {
  const outer = [...literals];
  outer[0] = outer[0]!.replace(/^\s*\n\s*/, "");
  outer.push(withoutLastLine(outer.pop()!));
  return Html.join(outer, values);
}

/** Without the line break and the spaces that a literal ends with. */
function withoutLastLine(text: string): string {
  const trimmed = text.trimEnd();
  return text.includes("\n", trimmed.length) ? trimmed : text;
}

function markupOf(value: Value): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(markupOf).join("");
  return escapeText(String(value));
}

/** Text as it may stand between tags and in quoted attributes. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"'`]/g, (letter) => `&#${letter.charCodeAt(0)};`)
    // Marks that turn the direction of what follows would reach beyond their own text.
    .replace(
      /[\u202a-\u202e\u2066-\u2069]/g,
      (mark) => `\\u${mark.charCodeAt(0).toString(16)}`,
    );
}

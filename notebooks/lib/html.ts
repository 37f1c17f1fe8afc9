/**
 * Provides HTML templates that escape every value, so that text from models, users and tools is displayed and never
 * executed.
 */

/** Markup that is safe to embed in other markup. Create it with {@linkcode html}. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /**
   * Joins literal markup and values. Text is escaped, `Html` is inserted unchanged, and `null` and `undefined` are
   * omitted.
   */
  static join(literals: readonly string[], values: readonly Value[]): Html {
    const parts = literals.map((literal, i) =>
      i < values.length ? literal + markupOf(values[i]) : literal
    );
    return new Html(parts.join(""));
  }

  /** Wraps SVG from a drawing library, which must already have escaped all text. */
  static fromDrawing(svg: string): Html {
    return new Html(svg);
  }

  toString(): string {
    return this.#markup;
  }
}

/** A value that can be embedded in markup. */
export type Value = string | number | null | undefined | Html | readonly Html[];

/**
 * A template tag for markup. Values are escaped unless they are `Html`. White space that a code formatter adds at the
 * beginning and the end of the template is removed.
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

/** Strips a literal's trailing line break and the indentation after it. */
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

/**
 * Escapes text for use between tags and in quoted attributes. Control characters that change the text direction are
 * replaced by visible escape sequences.
 */
export function escapeText(text: string): string {
  return text.replace(/[&<>"'`]/g, (letter) => `&#${letter.charCodeAt(0)};`)
    // Direction marks would also affect the text that follows.
    .replace(
      /[\u202a-\u202e\u2066-\u2069]/g,
      (mark) => `\\u${mark.charCodeAt(0).toString(16)}`,
    );
}

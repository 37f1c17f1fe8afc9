/** Defines values that Jupyter displays as HTML, or as text in front ends without HTML support. */

import { type Html, html } from "./html.ts";

/** A Jupyter MIME bundle, which contains a representation of a value for each MIME type. */
export type MimeBundle = Readonly<Record<string, string>>;

/** A value that Jupyter can display. */
export class Rich {
  readonly #html: Html;
  /** The plain-text form, for terminals and tests. */
  readonly text: string;
  readonly #more: MimeBundle;

  constructor(
    parts: { readonly html: Html; readonly text: string },
    more: MimeBundle = {},
  ) {
    this.#html = parts.html;
    this.text = parts.text;
    this.#more = more;
  }

  /** Returns the MIME bundle that Jupyter displays. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    return this.bundle();
  }

  /** Returns all forms of the value. A front end displays the richest form that it supports. */
  bundle(): MimeBundle {
    return { ...this.#more, "text/plain": this.text, "text/html": this.markup };
  }

  /** The HTML, including the styles. */
  get markup(): string {
    return String(html`<div class="tau">${STYLE}${this.#html}</div>`);
  }

  /** The HTML without styles, for embedding in another `Rich`. */
  get html(): Html {
    return this.#html;
  }

  toString(): string {
    return this.text;
  }
}

/** Returns a value that displays parts one below the other. */
export function stack(...parts: readonly Rich[]): Rich {
  return new Rich({
    html: html`${parts.map((part) => html`<div>${part.html}</div>`)}`,
    text: parts.map(({ text }) => text).join("\n\n"),
  });
}

/** Returns a value that displays a heading above a part. */
export function titled(title: string, part: Rich): Rich {
  return new Rich({
    html: html`<h4>${title}</h4>${part.html}`,
    text: `${title}\n${part.text}`,
  });
}

/**
 * The style sheet. Borders and tints are fractions of the text color, so the same sheet works on light and dark pages.
 * All rules are limited to `.tau`, so the rest of the notebook is not affected. The class is repeated three times to
 * take precedence over the front ends' table styles.
 */
const STYLE = html`<style>
.tau { color: inherit; font-size: 13px; line-height: 1.45; overflow-x: auto; max-width: 100%; text-align: left; }
.tau.tau.tau h4 { margin: .6em 0 .3em; font-size: 1em; font-weight: 600; }
.tau.tau.tau table { border-collapse: collapse; margin: .3em 0; font-size: inherit; color: inherit; border: none; table-layout: auto; width: auto; }
.tau.tau.tau tr, .tau.tau.tau tr:hover { background: none; }
.tau.tau.tau th, .tau.tau.tau td { border: none; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent);
  padding: .25em .7em; text-align: left; vertical-align: top; background: none; color: inherit; white-space: normal; max-width: 46em; overflow-wrap: anywhere; }
.tau.tau.tau thead th { white-space: nowrap; border-bottom-color: color-mix(in srgb, currentColor 45%, transparent); font-weight: 600; }
.tau.tau.tau .short { white-space: nowrap; }
.tau.tau.tau .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tau code, .tau pre, .tau.tau.tau pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .92em;
  background: none; color: inherit; padding: 0; border: none; }
.tau.tau.tau pre { white-space: pre-wrap; overflow-wrap: break-word; margin: .2em 0; max-height: 24em; overflow-y: auto; }
.tau .dim { opacity: .72; }
.tau .ok { color: #1a7f37; } .tau .bad { color: #cf222e; }
.tau .ok, .tau .bad { font-weight: 600; }
.tau .said { border-left: 3px solid color-mix(in srgb, currentColor 30%, transparent); padding: .1em .7em; margin: .35em 0; max-width: 62em; }
.tau .words { white-space: pre-wrap; overflow-wrap: anywhere; }
.tau .said.agent { border-left-color: #4269d0; } .tau .said.tool { border-left-color: #9498a0; }
.tau .said.user { border-left-color: #e08d10; } .tau .said.marked { outline: 2px solid #cf222e; outline-offset: 2px; }
.tau .who { font-weight: 600; font-size: .85em; opacity: .8; }
.tau .chip { display: inline-block; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 1em; padding: 0 .6em; margin: 0 .3em .2em 0; }
.tau details { margin: .2em 0; } .tau summary { cursor: pointer; overflow-wrap: anywhere; }
.tau .tok { white-space: pre-wrap; border-radius: 2px; }
.tau.tau.tau svg { max-width: 100%; height: auto; color: inherit; }
body[data-jp-theme-light="false"] .tau .ok, .vscode-dark .tau .ok { color: #4ac26b; }
body[data-jp-theme-light="false"] .tau .bad, .vscode-dark .tau .bad { color: #ff7b72; }
</style>`;

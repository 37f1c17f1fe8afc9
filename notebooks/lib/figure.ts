/** Draws figures with Observable Plot, without a browser. */

import * as Plot from "@observablehq/plot";
import { DOMParser } from "linkedom";
import { Html, html } from "./html.ts";
import { Rich } from "./rich.ts";

export { Plot };

/** The options of Observable Plot's `plot()`. */
export type PlotOptions = Plot.PlotOptions;

/** The colors of series. Most color-blind readers can distinguish them, on white and on black. */
export const COLORS = [
  "#4c78d9",
  "#e08d10",
  "#d1495b",
  "#3a9c8c",
  "#8e6cc4",
  "#7f8a97",
] as const;

/**
 * Draws a figure. The HTML form uses the page's text color, so that it is readable on light and dark pages. Front ends
 * without HTML support get an SVG image on a white background.
 * @param options The options of Plot, and `alt`, a description of the figure in words.
 */
export function figure(
  { alt, ...options }: PlotOptions & { readonly alt: string },
): Rich {
  const inline = draw(options, "none");
  const alone = draw({ ...options, style: { color: "#1f2328" } }, "white");
  return new Rich({
    html: html`
      <figure style="margin:.4em 0" role="img"
        aria-label="${alt}">${legend(options)}${Html.fromDrawing(
          inline,
        )}</figure>
    `,
    text: alt,
  }, { "image/svg+xml": alone });
}

/** A segment of a stacked bar: a share or an amount of one kind. */
export interface BarPart {
  /** The name of the bar to which the segment belongs. */
  readonly of: string;
  readonly kind: string;
  readonly value: number;
}

/**
 * Draws one stacked bar per name. Bars and segments keep the order of their first appearance.
 * @param options The options of the bars. All other options are passed to {@linkcode figure}.
 */
export function stackedBars(
  parts: readonly BarPart[],
  { alt, bar = 34, marks = [], ...options }: PlotOptions & {
    readonly alt: string;
    /** The height of a bar, including the gap below it, in pixels. Default: 34. */
    readonly bar?: number;
  },
): Rich {
  const names = [...new Set(parts.map((part) => part.of))];
  const kinds = [...new Set(parts.map(({ kind }) => kind))];
  return figure({
    alt,
    height: 60 + bar * names.length,
    marginLeft: 130,
    ...options,
    y: { label: null, domain: names, ...options.y },
    color: { domain: kinds, ...options.color },
    marks: [
      Plot.barX(
        parts,
        Plot.stackX({
          x: "value",
          y: "of",
          fill: "kind",
          order: kinds,
          insetRight: 1,
        }),
      ),
      ...marks,
    ],
  });
}

/** Describes the segments of each bar in words, such as `a1: solved 50%, transferred 25%; a2: solved 75%`. */
export function partsText(
  parts: readonly BarPart[],
  show: (value: number) => string,
): string {
  return [...Map.groupBy(parts, (part) => part.of)].map(([of, some]) =>
    `${of}: ${
      some.map(({ kind, value }) => `${kind} ${show(value)}`).join(", ")
    }`
  ).join("; ");
}

function draw(options: PlotOptions, background: string): string {
  const document = new DOMParser().parseFromString(
    "<html></html>",
    "text/html",
  );
  const style = typeof options.style === "object" ? options.style : {};
  const drawn = Plot.plot({
    width: 720,
    height: 320,
    marginTop: 30,
    marginRight: 20,
    marginBottom: 42,
    ...options,
    // Plot's legend would be HTML around the figure, out of reach of its styles.
    color: { range: [...COLORS], ...options.color, legend: false },
    document,
    style: {
      fontFamily: "system-ui, sans-serif",
      fontSize: "12px",
      ...style,
      background,
    },
  });
  drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return drawn.outerHTML;
}

/**
 * Returns a legend with the series and their colors, or `null` if the options have no color domain or a linear color
 * scale.
 */
function legend({ color }: PlotOptions): Html | null {
  const domain = color?.domain;
  if (color?.type === "linear" || domain === undefined) return null;
  const range = color?.range ?? COLORS;
  return html`<div>${
    [...domain].map((name, i) =>
      html`<span class="chip"><span style="color:${
        String([...range][i % [...range].length])
      }">●</span> ${String(name)}</span>`
    )
  }</div>`;
}

/**
 * Shows values in the output of notebook cells.
 *
 * Deno's kernel (2.9.6) sends displayed values over a separate channel, sometimes after it has reported that the cell
 * is complete. In about a quarter of all cases, the last value of a cell arrives too late, and front ends drop it.
 * Cells therefore call {@linkcode show}, which waits until the output has been sent.
 */

import { setTimeout as delay } from "node:timers/promises";
import { Rich } from "./rich.ts";

/**
 * The time to wait for output to be sent, in milliseconds. The kernel does not report when it has been sent, so this is
 * ten times as long as the observed delay.
 */
const SENT_MS = 30;

/** A value that can be shown: a `Rich`, or an object with a `show()` method, such as a conversation or a run. */
export type Displayed = Rich | { show(): Rich };

/**
 * Shows values, or promises of values, one below the other in the cell's output.
 *
 *     await show(table(rows), talk.act())
 */
export async function show(
  ...parts: readonly (Displayed | Promise<Displayed>)[]
): Promise<void> {
  for (const part of parts) {
    const one = await part;
    const rich = one instanceof Rich ? one : one.show();
    await Deno.jupyter.display(rich.bundle(), { raw: true });
  }
  await delay(SENT_MS);
}

/** A part of a cell's output that can be updated while cells run. */
export class Live {
  readonly #id = crypto.randomUUID();
  readonly #everyMs: number;
  #shownAtMs: number | null = null;

  /**
   * Creates a part without content.
   * @param options.everyMs The shortest time between two updates, in milliseconds. Default: 250.
   */
  constructor({ everyMs = 250 }: { readonly everyMs?: number } = {}) {
    this.#everyMs = everyMs;
  }

  /** Replaces the content. Does nothing if the last update was less than `everyMs` ago, unless `always` is set. */
  async show(
    draw: () => Rich,
    { always = false }: {
      /** Whether to update regardless of the time of the last update, e.g. for the final state. */
      readonly always?: boolean;
    } = {},
  ): Promise<void> {
    const now = performance.now();
    const isFirst = this.#shownAtMs === null;
    if (!isFirst && !always && now - this.#shownAtMs! < this.#everyMs) return;
    this.#shownAtMs = now;
    await Deno.jupyter.display(draw().bundle(), {
      raw: true,
      update: !isFirst,
      display_id: this.#id,
    });
    if (always) await delay(SENT_MS);
  }
}

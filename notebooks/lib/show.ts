/**
 * What a cell shows.
 *
 * Deno's kernel (2.9.6) sends what is shown on a way of its own, and sometimes after the word that the cell is done:
 * the value that a cell ends in comes late one time in four. Front ends drop what is late. So cells show things by
 * {@linkcode show}, which lets them go out before the cell can end.
 */

import { setTimeout as delay } from "node:timers/promises";
import { Rich } from "./rich.ts";

/** The kernel says nothing when it has sent something; this is ten times as long as it was seen to take. */
const SENT_MS = 30;

/** Whatever can be shown: `Rich`, or what shows itself as such, as conversations and runs do. */
export type Displayed = Rich | { show(): Rich };

/**
 * Shows things in the cell's output, one under the other; promises of them too.
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

/** A place in a cell's output that changes while cells run. */
export class Live {
  readonly #id = crypto.randomUUID();
  readonly #everyMs: number;
  #shownAtMs: number | null = null;

  /** @param options.everyMs How often it changes at most: front ends draw each time anew. Default: 250. */
  constructor({ everyMs = 250 }: { readonly everyMs?: number } = {}) {
    this.#everyMs = everyMs;
  }

  /** Shows something there instead of what was there; nothing where the last one is too fresh. */
  async show(
    draw: () => Rich,
    { always = false }: {
      /** Also where the last one is fresh: for the end. */
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

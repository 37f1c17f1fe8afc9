/** Divides an episode's duration into consecutive spans, according to what the episode was waiting for. */

import type { Failure } from "./types.ts";

/** What an episode was waiting for: the model, user or environment, or failed attempts and the backoff after them. */
export type SpanKind = Failure["source"] | "retries";

/**
 * A period of an episode. Each span begins where the previous one ends; the first begins at the start of the episode.
 */
export interface EpisodeSpan {
  readonly kind: SpanKind;
  readonly ms: number;
}

/** A clock that measures the spans of an episode. */
export class SpanClock {
  readonly #now: () => number;
  #lastMs: number;
  readonly #spans: { kind: SpanKind; ms: number }[] = [];

  /**
   * @param now The clock, in milliseconds.
   * @param startedAtMs The start of the first span on that clock.
   */
  constructor(now: () => number, startedAtMs: number) {
    this.#now = now;
    this.#lastMs = startedAtMs;
  }

  get spans(): readonly EpisodeSpan[] {
    return this.#spans.map((span) => ({ ...span }));
  }

  /** Attributes the time since the last mark, or since the start if there is none, to `kind`. */
  mark(kind: SpanKind): void {
    const nowMs = this.#now();
    const ms = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    const last = this.#spans.at(-1);
    if (last?.kind === kind) last.ms += ms;
    else if (ms > 0) this.#spans.push({ kind, ms });
  }
}

const LETTERS: Readonly<Record<SpanKind, string>> = {
  model: "m",
  user: "u",
  environment: "e",
  retries: "r",
};

const KINDS = new Map(
  Object.entries(LETTERS).map((
    [kind, letter],
  ) => [letter, kind as SpanKind]),
);

/**
 * Formats spans as text, `u812m1204e3`. Each span is a letter for its kind, followed by its duration in whole
 * milliseconds. Spans that round to 0 are omitted; the end of each remaining span is exact to half a millisecond.
 */
export function packSpans(spans: readonly EpisodeSpan[]): string {
  let [endMs, packedMs] = [0, 0];
  const packed: { kind: SpanKind; ms: number }[] = [];
  for (const { kind, ms } of spans) {
    endMs += ms;
    const whole = Math.round(endMs) - packedMs;
    packedMs += whole;
    const last = packed.at(-1);
    if (last?.kind === kind) last.ms += whole;
    else if (whole > 0) packed.push({ kind, ms: whole });
  }
  return packed.map(({ kind, ms }) => `${LETTERS[kind]}${ms}`).join("");
}

/** Parses the text of {@linkcode packSpans}; spans with an unknown letter are ignored. */
export function unpackSpans(text: string): EpisodeSpan[] {
  return [...text.matchAll(/([a-z])(\d+)/g)].flatMap(([, letter, ms]) => {
    const kind = KINDS.get(letter ?? "");
    return kind === undefined ? [] : [{ kind, ms: Number(ms) }];
  });
}

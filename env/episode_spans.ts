/** Where the time of an episode went: what it waited for, one stretch after the other. */

import type { Failure } from "./types.ts";

/** What was waited for: a party's answer, or earlier attempts that failed and the pauses after them. */
export type SpanKind = Failure["source"] | "retries";

/** A stretch of an episode's time. Stretches follow each other, from the episode's start. */
export interface EpisodeSpan {
  readonly kind: SpanKind;
  readonly ms: number;
}

/** Measures the stretches of an episode. */
export class SpanClock {
  readonly #now: () => number;
  #lastMs: number;
  readonly #spans: { kind: SpanKind; ms: number }[] = [];

  /** @param now Milliseconds. @param startedAtMs When the first stretch began, by that clock. */
  constructor(now: () => number, startedAtMs: number) {
    this.#now = now;
    this.#lastMs = startedAtMs;
  }

  get spans(): readonly EpisodeSpan[] {
    return this.#spans.map((span) => ({ ...span }));
  }

  /** The time since the last mark went to `kind`. */
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
 * Spans as text, `u812m1204e3`: a letter a kind and whole milliseconds. What rounds to 0 is left out, and the ends of
 * all others are right to half a millisecond.
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

/** The inverse of {@linkcode packSpans}; what is none of its letters is left out. */
export function unpackSpans(text: string): EpisodeSpan[] {
  return [...text.matchAll(/([a-z])(\d+)/g)].flatMap(([, letter, ms]) => {
    const kind = KINDS.get(letter ?? "");
    return kind === undefined ? [] : [{ kind, ms: Number(ms) }];
  });
}

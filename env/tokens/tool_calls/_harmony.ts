/**
 * Parses the Harmony format of gpt-oss, in which control tokens separate thoughts, text and calls.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/parser/harmony_parser.py`, `CanonicalStrategy`, which finds the
 * same blocks in a complete text. Unlike SGLang, this parser drops thoughts.
 */

import { pythonStrip } from "./_python_text.ts";

/** A part of an answer: text for the user, or a call including its control tokens. */
export interface HarmonyEvent {
  readonly kind: "normal" | "call";
  readonly text: string;
}

const TOKENS = {
  "<|start|>": "start",
  "<|channel|>": "channel",
  "<|message|>": "message",
  "<|constrain|>": "constrain",
  "<|end|>": "end",
  "<|call|>": "call",
  "<|return|>": "return",
} as const;

const LITERALS = Object.keys(TOKENS) as (keyof typeof TOKENS)[];
const LONGEST = Math.max(...LITERALS.map(({ length }) => length));

/** A control token, or the text between two control tokens. */
interface Piece {
  readonly type: typeof TOKENS[keyof typeof TOKENS] | "text";
  readonly from: number;
  readonly to: number;
}

/** Returns the texts and the calls in an answer, in order. */
export function harmonyEvents(text: string): HarmonyEvent[] {
  return withoutFiller(
    new Blocks(text, piecesOf(text)).events(),
    pythonStrip(text).endsWith("<|call|>"),
  );
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  const add = (type: Piece["type"], from: number, to: number) =>
    pieces.push({ type, from, to });
  const lastClose = text.lastIndexOf("|>");
  let isUnknown = false;
  let at = 0;
  while (at < text.length) {
    const marker = text.indexOf("<|", at);
    if (marker < 0) break;
    if (marker > at) add("text", at, marker);
    const literal = LITERALS.find((one) => text.startsWith(one, marker));
    if (literal !== undefined) {
      at = marker + literal.length;
      add(TOKENS[literal], marker, at);
      continue;
    }
    if (isCutOff(text, marker)) {
      add("text", marker, text.length);
      return pieces;
    }
    isUnknown = true;
    add("text", marker, marker + 2);
    at = marker + 2;
    if (lastClose < at) continue;
    const next = text.indexOf("<|", text.indexOf("|>", at) + 2);
    const to = next < 0 ? text.length : next;
    add("text", at, to);
    at = to;
    if (next < 0) break;
  }
  if (at < text.length) add("text", at, text.length);
  else if (isUnknown && LITERALS.some((one) => text.endsWith(one))) {
    add("text", at, at);
  }
  return pieces;
}

/** Checks whether the text ends in the middle of a control token that begins at `marker`. */
function isCutOff(text: string, marker: number): boolean {
  return text.length - marker < LONGEST &&
    LITERALS.some((one) => one.startsWith(text.slice(marker)));
}

class Blocks {
  readonly #text: string;
  readonly #pieces: readonly Piece[];
  readonly #events: HarmonyEvent[] = [];

  constructor(text: string, pieces: readonly Piece[]) {
    this.#text = text;
    this.#pieces = pieces;
  }

  events(): HarmonyEvent[] {
    let at: number | null = 0;
    while (at !== null && at < this.#pieces.length) {
      const type: Piece["type"] = this.#pieces[at]!.type;
      at = type === "start" || type === "channel"
        ? this.#block(at)
        : this.#loose(at);
    }
    return this.#events;
  }

  #say(text: string): void {
    this.#events.push({ kind: "normal", text });
  }

  /** Reads a piece that is outside all blocks, and returns the index of the next piece. */
  #loose(at: number): number {
    const piece = this.#pieces[at]!;
    const content = this.#text.slice(piece.from, piece.to);
    if (piece.type === "text" && at === this.#pieces.length - 1) {
      const kept = content.slice(0, content.length - heldBack(content));
      if (kept !== "") this.#say(kept);
    } else if (!this.#isFiller(at) && !isToken(pythonStrip(content))) {
      this.#say(content);
    }
    return at + 1;
  }

  /** Checks whether a piece is filler that models write after a call. */
  #isFiller(at: number): boolean {
    if (this.#pieces[at - 1]?.type !== "call") return false;
    const { type, from, to } = this.#pieces[at]!;
    const text = pythonStrip(this.#text.slice(from, to));
    return type === "message" ||
      (type === "text" && text.toLowerCase() === "commentary");
  }

  /**
   * Reads a block.
   * @returns The index of the piece after the block, or `null` if the block is not valid or not closed, in which case
   * parsing stops. A block on the channel `final` need not be closed.
   */
  #block(start: number): number | null {
    const from = start + (this.#pieces[start]!.type === "start" ? 1 : 0);
    let channel = -1;
    let message = from;
    for (;; message++) {
      const type = this.#pieces[message]?.type;
      if (type === undefined) return null;
      if (type === "message") break;
      if (type === "channel" && channel < 0) channel = message;
    }
    const content = this.#pieces[message]!.to;
    if (channel < 0) {
      const end = this.#next(message + 1, ["end", "call", "return"]);
      if (end === null) return null;
      this.#say(this.#text.slice(content, this.#pieces[end]!.from));
      return end + 1;
    }
    const header = this.#text.slice(
      this.#pieces[channel + 1]!.from,
      this.#pieces[message]!.from,
    );
    const name = /^(?:analysis|commentary|final)/
      .exec(pythonStrip(header).toLowerCase())?.[0];
    if (name === undefined) return null;
    return name === "final"
      ? this.#final(message + 1, content)
      : this.#thoughtOrCall(message + 1, { start, content, name });
  }

  #final(at: number, content: number): number {
    const end = this.#next(at, ["return"]);
    if (end === null) {
      this.#say(this.#text.slice(content));
      return this.#pieces.length;
    }
    const said = this.#text.slice(content, this.#pieces[end]!.from);
    const after = this.#pieces[end + 1];
    const hasRest = after?.type === "text";
    const rest = hasRest ? this.#text.slice(after.from, after.to) : "";
    this.#say(said + rest);
    return end + (hasRest ? 2 : 1);
  }

  #thoughtOrCall(
    at: number,
    { start, content, name }: {
      readonly start: number;
      readonly content: number;
      readonly name: string;
    },
  ): number | null {
    const end = this.#next(at, ["end", "call"]);
    if (end === null) return null;
    const { type, from, to } = this.#pieces[end]!;
    if (type === "call") {
      const text = this.#text.slice(this.#pieces[start]!.from, to);
      this.#events.push({ kind: "call", text });
    } else if (name === "commentary") {
      this.#say(this.#text.slice(content, from));
    }
    return end + 1;
  }

  #next(at: number, types: readonly Piece["type"][]): number | null {
    for (; at < this.#pieces.length; at++) {
      if (types.includes(this.#pieces[at]!.type)) return at;
    }
    return null;
  }
}

function isToken(text: string): boolean {
  return Object.hasOwn(TOKENS, text);
}

/** Returns the length of the longest suffix that is the beginning of a control token. */
function heldBack(text: string): number {
  for (let length = Math.min(LONGEST - 1, text.length); length > 0; length--) {
    const tail = text.slice(-length);
    if (LITERALS.some((one) => one !== tail && one.startsWith(tail))) {
      return length;
    }
  }
  return 0;
}

/** Removes the word "commentary", which models write after a call, even if it is split across several pieces. */
function withoutFiller(
  events: readonly HarmonyEvent[],
  endsInCall: boolean,
): HarmonyEvent[] {
  const kept: HarmonyEvent[] = [];
  let isFiltering = false;
  let partial = "";
  for (const event of events) {
    if (event.kind === "normal" && (isFiltering || partial !== "")) {
      const word = partial + pythonStrip(event.text).toLowerCase();
      const isWord = word === "commentary";
      if (isWord || "commentary".startsWith(word)) {
        if (isWord) isFiltering = false;
        partial = isWord ? "" : word;
        continue;
      }
      isFiltering = false;
    }
    partial = "";
    if (event.kind === "call" || endsInCall) isFiltering = true;
    kept.push(event);
  }
  return kept;
}

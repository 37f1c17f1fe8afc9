/**
 * The text of ids where tokens are bytes under other names, as in GPT-2 and all Qwen: their bytes joined and read as
 * UTF-8. The same text as Hugging Face's decoder gives, at a fraction of its time.
 *
 * @see Radford et al. 2019, `bytes_to_unicode` of GPT-2's encoder, for the names.
 */

/** Reads ids as text. @returns `undefined` where an id is not of this kind. */
export type DecodeBytes = (ids: readonly number[]) => string | undefined;

/** What a decoder is made of. */
export interface ByteDecoderParts {
  /** The parsed tokenizer.json. */
  readonly json: unknown;
  /** The token of an id as the vocabulary has it. */
  readonly tokenOf: (id: number) => string | undefined;
  /** Tokens that are text themselves; what is between two of them is read on its own. */
  readonly added: ReadonlySet<string>;
}

/** A decoder of a tokenizer's ids; `undefined` where its tokens are no bytes. */
export function byteDecoder(
  { json, tokenOf, added }: ByteDecoderParts,
): DecodeBytes | undefined {
  const { decoder } = json as { decoder?: { type?: unknown } | null };
  if (decoder?.type !== "ByteLevel") return undefined;
  const known: (Uint8Array | string | undefined)[] = [];
  function pieceOf(id: number): Uint8Array | string | undefined {
    const token = tokenOf(id);
    if (token === undefined) return undefined;
    return added.has(token) ? token : bytesOf(token);
  }
  return (ids) => {
    const text = new BytesText();
    for (const id of ids) {
      const piece = known[id] ??= pieceOf(id);
      if (piece === undefined) return undefined;
      text.add(piece);
    }
    return text.end();
  };
}

/** Text that grows by bytes and by whole strings. */
class BytesText {
  #text = "";
  #filled = 0;

  add(piece: Uint8Array | string): void {
    if (typeof piece === "string") {
      this.#flush();
      this.#text += piece;
      return;
    }
    if (this.#filled + piece.length > scratch.length) grow();
    // Pieces have some bytes each: a call of set() costs more than to copy them.
    for (let at = 0; at < piece.length; at++) {
      scratch[this.#filled++] = piece[at]!;
    }
  }

  end(): string {
    this.#flush();
    return this.#text;
  }

  #flush(): void {
    if (this.#filled === 0) return;
    this.#text += utf8.decode(scratch.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
let scratch = new Uint8Array(1 << 14);

function grow(): void {
  const larger = new Uint8Array(2 * scratch.length);
  larger.set(scratch);
  scratch = larger;
}

/** The bytes that a token's letters stand for; `undefined` if one stands for none. */
function bytesOf(token: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const letter of token) {
    const byte = BYTES.get(letter);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

const BYTES = letters();

/** Printable bytes are named by their own letter, all others by the letters from U+0100 on, in order. */
function letters(): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = byte >= 0x21 && byte <= 0x7e ||
      byte >= 0xa1 && byte <= 0xac || byte >= 0xae;
    names.set(String.fromCodePoint(isPrintable ? byte : next++), byte);
  }
  return names;
}

/**
 * Implements a fast decoder for byte-level tokenizers such as GPT-2's and Qwen's, in which one printable character
 * represents each byte of a token. The decoder joins the bytes of all tokens and decodes them as UTF-8. The result is
 * the same as that of Hugging Face's decoder.
 *
 * @see Radford et al. 2019, `bytes_to_unicode` in GPT-2's encoder, for the mapping.
 */

/**
 * A function that decodes ids to text.
 * @returns The text, or `undefined` if an id is unknown, or if its token is not an added token and does not represent
 * bytes.
 */
export type DecodeBytes = (ids: readonly number[]) => string | undefined;

/** Options for {@linkcode byteDecoder}. */
export interface ByteDecoderParts {
  /** The parsed `tokenizer.json`. */
  readonly json: unknown;
  /** Returns the token of an id, spelled as in the vocabulary. */
  readonly tokenOf: (id: number) => string | undefined;
  /**
   * The added tokens, which represent literal text rather than bytes. The tokens between two added tokens are decoded
   * separately.
   */
  readonly added: ReadonlySet<string>;
}

/** Creates a decoder for the ids of a tokenizer. Returns `undefined` if the tokenizer is not byte-level. */
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

/** A builder that assembles a string from bytes and strings. */
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
    // A loop, since a call to set() costs more than copying the few bytes of a piece.
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

/** Returns the bytes that a token's characters represent, or `undefined` if a character represents none. */
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

/**
 * Returns the byte that each character represents. The character for a printable byte has the same code. The other
 * bytes, in ascending order, are represented by the characters from U+0100 on.
 */
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

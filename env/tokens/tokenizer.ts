/** Text to token ids and back, by the `tokenizer.json` of a model directory. */

import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as z from "zod";
import { DataError, messageOf } from "../errors.ts";
import { alternation, isMarked, unmark } from "./guard.ts";
import { readModelFile, readOptionalModelFile } from "./model_dir.ts";
import { normalizeNfc } from "./nfc.ts";
import { appendIds } from "./_append_ids.ts";
import { byteDecoder, type DecodeBytes } from "./_byte_decoder.ts";
import { pieceEncoder } from "./_pieces.ts";
import { RecentTexts } from "./_recent_texts.ts";

/** A token that is matched whole before the text is split: `<|im_end|>`, `<tool_call>`. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Whether it is control (`<|im_end|>`) rather than text (`<tool_call>`). */
  readonly special: boolean;
}

/** Text to ids and back. Nothing is added at either end of a text. */
export interface Tokenizer {
  /** Ids that texts encode to are below this. */
  readonly vocabSize: number;
  readonly addedTokens: readonly AddedToken[];
  /** The text of the token that ends an answer, `<|im_end|>`. */
  readonly endToken: string;
  /** Ids after which sampling ends; that of {@linkcode Tokenizer.endToken} first. */
  readonly stopIds: readonly number[];
  /**
   * The ids of a text, which may be shared and are not to be written to. Added tokens become their one id,
   * except where the text is marked by a {@linkcode Guard}.
   */
  encode(text: string): readonly number[];
  /**
   * The text of ids, control tokens too. Models have rows to spare beyond the vocabulary; where such an id was
   * sampled, the text has U+FFFD.
   * @throws {RangeError} If an id is not a non-negative integer.
   */
  decode(ids: readonly number[]): string;
}

/** Encodes text in which there is no control token. */
type EncodePlain = (text: string) => readonly number[];

const specialToken = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);

const tokenizerJson = z.looseObject({
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  added_tokens: z.array(z.looseObject({
    id: z.int().nonnegative(),
    content: z.string().min(1),
    special: z.boolean().default(false),
    lstrip: z.boolean().default(false),
    rstrip: z.boolean().default(false),
    normalized: z.boolean().default(false),
  })).default([]),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([
      z.record(z.string(), z.int()),
      z.array(z.tuple([z.string(), z.number()])),
    ]),
  }),
});

const tokenizerConfig = z.looseObject({ eos_token: specialToken });

const generationConfig = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).optional(),
});

/** The files of a tokenizer as parsed JSON. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  readonly tokenizer: unknown;
  /** `tokenizer_config.json`. */
  readonly config: unknown;
  /** `generation_config.json`, where there is one: it may name further ids that end an answer. */
  readonly generation?: unknown;
}

/**
 * Reads the tokenizer of a model directory.
 * @param dir Holds `tokenizer.json` and `tokenizer_config.json`.
 * @throws {DataError} If a file is missing or is not what it should be.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  // One after the other, so that of several faults the same one is named every time.
  const tokenizer = await readModelFile(dir, "tokenizer.json");
  const config = await readModelFile(dir, "tokenizer_config.json");
  const generation = await readOptionalModelFile(dir, "generation_config.json");
  return createTokenizer({ tokenizer, config, generation }, dir);
}

/**
 * Makes a tokenizer of parsed files.
 * @param origin Where the files are from, for errors.
 * @throws {DataError} If they are not what they should be.
 */
export function createTokenizer(
  files: TokenizerFiles,
  origin = "the given files",
): Tokenizer {
  const json = check(tokenizerJson, files.tokenizer, {
    origin,
    file: "tokenizer.json",
  });
  const config = check(tokenizerConfig, files.config, {
    origin,
    file: "tokenizer_config.json",
  });
  const generation = check(generationConfig, files.generation ?? {}, {
    origin,
    file: "generation_config.json",
  });
  const engine = createEngine(files, origin);
  const normalize = normalizerOf(engine, json.normalizer?.type);
  const encodeNormal = encoderOf(engine, files.tokenizer);
  return new ModelTokenizer({
    engine,
    addedTokens: json.added_tokens,
    endToken: config.eos_token,
    extraStopIds: [generation.eos_token_id ?? []].flat(),
    encodePlain: (text) => encodeNormal(normalize(text)),
    decodeBytes: byteDecoder({
      json: files.tokenizer,
      tokenOf: (id) => engine.model?.vocab[id],
      added: new Set(json.added_tokens.map(({ content }) => content)),
    }),
    origin,
  });
}

function createEngine(
  files: TokenizerFiles,
  origin: string,
): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(
      Object(files.tokenizer),
      Object(files.config),
    );
  } catch (cause) {
    throw new DataError(
      `Cannot make a tokenizer of "tokenizer.json" in ${origin}: ${
        messageOf(cause)
      }`,
      {
        path: origin,
        cause,
        hint: "it must be a file that Hugging Face's tokenizers library wrote",
      },
    );
  }
}

/** What a text goes through first. */
type Normalize = (text: string) => string;

function normalizerOf(
  engine: HuggingFaceTokenizer,
  type: string | undefined,
): Normalize {
  if (type === "NFC") return normalizeNfc;
  return (text) => engine.normalizer?.normalize(text) ?? text;
}

function encoderOf(engine: HuggingFaceTokenizer, json: unknown): EncodePlain {
  const encode = (normal: string) => encodePlain(engine, normal);
  return pieceEncoder(engine, { json, encode }) ?? encode;
}

interface AddedTokenRules extends AddedToken {
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
}

interface ModelTokenizerParts {
  readonly engine: HuggingFaceTokenizer;
  readonly addedTokens: readonly AddedTokenRules[];
  readonly endToken: string;
  readonly extraStopIds: readonly number[];
  readonly encodePlain: EncodePlain;
  readonly decodeBytes: DecodeBytes | undefined;
  readonly origin: string;
}

/** A tokenizer over Hugging Face's, with a cache of the pieces between added tokens. */
class ModelTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly addedTokens: readonly AddedToken[];
  readonly endToken: string;
  readonly stopIds: readonly number[];
  readonly #engine: HuggingFaceTokenizer;
  readonly #encoder: SegmentEncoder;
  readonly #decodeBytes: DecodeBytes | undefined;

  constructor(parts: ModelTokenizerParts) {
    const { engine, addedTokens, endToken, extraStopIds, origin } = parts;
    rejectTrimming(addedTokens, origin);
    const endId = engine.token_to_id(endToken);
    if (endId === undefined) {
      throw new DataError(
        `The end token "${endToken}" of "tokenizer_config.json" in ${origin} is not in the vocabulary of "tokenizer.json"`,
        { path: origin, hint: "take both files from the same model" },
      );
    }
    this.#engine = engine;
    this.#decodeBytes = parts.decodeBytes;
    this.addedTokens = addedTokens;
    this.endToken = endToken;
    this.stopIds = [...new Set([endId, ...extraStopIds])];
    this.vocabSize = engine.model?.vocab.length ?? 0;
    this.#encoder = new SegmentEncoder(addedTokens, parts.encodePlain);
  }

  encode(text: string): readonly number[] {
    return this.#encoder.encode(text);
  }

  decode(ids: readonly number[]): string {
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0);
    if (bad !== undefined) {
      throw new RangeError(
        `Cannot decode ${bad}: a token id is a non-negative integer`,
      );
    }
    const spare = ids.findIndex((id) => id >= this.vocabSize);
    if (spare < 0) return this.#decodeKnown(ids);
    const before = this.#decodeKnown(ids.slice(0, spare));
    return before + "\uFFFD" + this.decode(ids.slice(spare + 1));
  }

  #decodeKnown(ids: readonly number[]): string {
    if (ids.length === 0) return "";
    return this.#decodeBytes?.(ids) ?? this.#engine.decode([...ids], {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    });
  }
}

/** Encodes the added tokens of a text as such and what is between them by a function, which it caches. */
class SegmentEncoder {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #tokens: RegExp | null;
  readonly #encodePlain: EncodePlain;
  readonly #short = new RecentTexts(MAX_CACHED);
  /** Policies with their tools, which all episodes begin with. */
  readonly #long = new RecentTexts(MAX_LONG);

  constructor(
    addedTokens: readonly AddedToken[],
    encodePlain: EncodePlain,
  ) {
    this.#ids = new Map(addedTokens.map(({ content, id }) => [content, id]));
    this.#tokens = alternation([...this.#ids.keys()]);
    this.#encodePlain = encodePlain;
  }

  encode(text: string): readonly number[] {
    if (this.#tokens === null) return this.#segment(text);
    const ids: number[] = [];
    let from = 0;
    for (const match of text.matchAll(this.#tokens)) {
      appendIds(ids, this.#segment(text.slice(from, match.index)));
      ids.push(this.#ids.get(match[0]) ?? 0);
      from = match.index + match[0].length;
    }
    if (from === 0) return this.#segment(text);
    appendIds(ids, this.#segment(text.slice(from)));
    return ids;
  }

  #segment(text: string): readonly number[] {
    if (text === "") return [];
    const cache = text.length > MAX_CACHED_LENGTH ? this.#long : this.#short;
    return cache.get(text) ?? cache.remember(
      text,
      this.#encodePlain(isMarked(text) ? unmark(text) : text),
    );
  }
}

/** Texts kept by a cache, and the longest of them in UTF-16 units: at most about 40 MB. */
const MAX_CACHED = 4096;
const MAX_CACHED_LENGTH = 8192;
/** Longer texts kept. */
const MAX_LONG = 8;

/** What Hugging Face's `encode` does with the normal text between two added tokens. */
function encodePlain(engine: HuggingFaceTokenizer, normal: string): number[] {
  if (normal === "") return [];
  const pieces = engine.pre_tokenizer?.pre_tokenize(normal) ?? [normal];
  const model = engine.model;
  if (model === null) return [];
  return model.encode(pieces).map((token) => {
    const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
    if (id !== undefined) return id;
    throw new RangeError(
      `Cannot encode "${token}": it is not in the vocabulary, which has no token for unknown text`,
    );
  });
}

/** Tokens that take white space around them along would make encoding depend on what comes before. */
function rejectTrimming(
  tokens: readonly AddedTokenRules[],
  origin: string,
): void {
  const token = tokens.find(({ lstrip, rstrip, normalized, content }) =>
    lstrip || rstrip || (normalized && content.normalize("NFC") !== content)
  );
  if (token === undefined) return;
  throw new DataError(
    `The added token "${token.content}" in ${origin} trims or normalizes the text around it, which cannot be encoded piece by piece`,
    { path: origin, hint: "use a tokenizer without lstrip and rstrip" },
  );
}

function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { origin, file }: { origin: string; file: string },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue?.path.join(".") ?? "";
  throw new DataError(
    `Cannot use "${file}" in ${origin}: ${
      place === "" ? "" : `at "${place}", `
    }${issue?.message ?? "wrong schema"}`,
    {
      path: origin,
      cause: result.error,
      hint: "take the file from the model again",
    },
  );
}
